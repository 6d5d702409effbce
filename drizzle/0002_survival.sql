DROP INDEX "responses_in_flight";--> statement-breakpoint
ALTER TABLE "responses" ALTER COLUMN "process_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "responses" ADD COLUMN "background" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "responses" ADD COLUMN "take_overs" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "responses" ADD COLUMN "cancel_requested_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "responses" ADD COLUMN "followed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "responses" ADD COLUMN "trimmed_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "responses_in_background" ON "responses" USING btree ("tenant","background","created_at","id") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "responses_owned" ON "responses" USING btree ("process_id","created_at") WHERE completed_at is null;--> statement-breakpoint
CREATE INDEX "responses_unwanted" ON "responses" USING btree ("process_id") WHERE completed_at is null and cancel_requested_at is not null;--> statement-breakpoint
CREATE INDEX "responses_to_purge" ON "responses" USING btree ("deleted_at") WHERE deleted_at is not null and trimmed_at is null;--> statement-breakpoint
CREATE INDEX "responses_to_trim" ON "responses" USING btree ("completed_at") WHERE trimmed_at is null and completed_at is not null;