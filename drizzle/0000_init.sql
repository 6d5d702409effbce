CREATE TABLE "events" (
	"tenant" text NOT NULL,
	"response_id" text NOT NULL,
	"first" integer NOT NULL,
	"last" integer NOT NULL,
	"body" text NOT NULL,
	CONSTRAINT "events_response_id_first_pk" PRIMARY KEY("response_id","first")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant" text NOT NULL,
	"key" text NOT NULL,
	"input_hash" text NOT NULL,
	"response_id" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_key_pk" PRIMARY KEY("tenant","key")
);
--> statement-breakpoint
CREATE TABLE "items" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"response_id" text NOT NULL,
	"direction" text NOT NULL,
	"position" integer NOT NULL,
	"type" text NOT NULL,
	"call_key" text,
	"body" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "processes" (
	"id" text PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "responses" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"status" text NOT NULL,
	"completed_at" timestamp (3) with time zone,
	"model" text NOT NULL,
	"previous_response_id" text,
	"depth" integer NOT NULL,
	"settings" text NOT NULL,
	"metadata" jsonb NOT NULL,
	"usage" text,
	"error" text,
	"incomplete_reason" text,
	"last_sequence" integer,
	"process_id" text NOT NULL,
	"deleted_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "items" ADD CONSTRAINT "items_response_id_responses_id_fk" FOREIGN KEY ("response_id") REFERENCES "public"."responses"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "responses" ADD CONSTRAINT "responses_previous_response_id_responses_id_fk" FOREIGN KEY ("previous_response_id") REFERENCES "public"."responses"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "items_in_order" ON "items" USING btree ("response_id","position");--> statement-breakpoint
CREATE INDEX "responses_newest" ON "responses" USING btree ("tenant","created_at","id") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "responses_by_status" ON "responses" USING btree ("tenant","status","created_at","id") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "responses_by_model" ON "responses" USING btree ("tenant","model","created_at","id") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "responses_continuing" ON "responses" USING btree ("previous_response_id","created_at","id");--> statement-breakpoint
CREATE INDEX "responses_roots" ON "responses" USING btree ("tenant","created_at","id") WHERE deleted_at is null and previous_response_id is null;--> statement-breakpoint
CREATE INDEX "responses_by_metadata" ON "responses" USING gin (metadata jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "responses_in_flight" ON "responses" USING btree ("process_id") WHERE status = 'in_progress';