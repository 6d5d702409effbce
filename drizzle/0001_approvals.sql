ALTER TABLE "items" ADD COLUMN "answered_by" text;--> statement-breakpoint
CREATE INDEX "items_answered" ON "items" USING btree ("answered_by") WHERE answered_by is not null;