-- The strongest lock first: to get it later, while others wait for a weaker one, would be a deadlock with them.
LOCK TABLE "responses", "items", "events", "idempotency_keys", "response_metadata" IN ACCESS EXCLUSIVE MODE;
--> statement-breakpoint
-- The first half tells the tenant, so that its pairs are a range; `rest` is the other half, in hexadecimal.
CREATE FUNCTION "tenant_pair"("tenant" text, "rest" text) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
	select (encode(substr(sha256(convert_to(tenant, 'UTF8')), 1, 8), 'hex') || rpad(rest, 16, rest))::uuid
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "metadata_pairs"("tenant" text, "metadata" jsonb) RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
	select tenant_pair(tenant, encode(substr(sha256(convert_to(jsonb_build_array(tenant, key, value)::text, 'UTF8')), 1, 8), 'hex'))
	from jsonb_each(metadata)
$$;
--> statement-breakpoint
TRUNCATE "response_metadata";
--> statement-breakpoint
-- In the order of the primary key: many times quicker than any other.
INSERT INTO "response_metadata" ("pair", "created_at", "response_id")
SELECT "pair", "created_at", "id" FROM "responses", "metadata_pairs"("tenant", "metadata") "pair"
WHERE "deleted_at" is null ORDER BY 1, 2, 3;
--> statement-breakpoint
ANALYZE "response_metadata";
--> statement-breakpoint
ALTER TABLE "events" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "items" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "response_metadata" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "responses" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY "of_tenant" ON "events" AS PERMISSIVE FOR ALL TO public USING (tenant = current_setting('app.tenant', true)) WITH CHECK (tenant = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "of_tenant" ON "idempotency_keys" AS PERMISSIVE FOR ALL TO public USING (tenant = current_setting('app.tenant', true)) WITH CHECK (tenant = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "of_tenant" ON "items" AS PERMISSIVE FOR ALL TO public USING (tenant = current_setting('app.tenant', true)) WITH CHECK (tenant = current_setting('app.tenant', true));--> statement-breakpoint
CREATE POLICY "of_tenant" ON "response_metadata" AS PERMISSIVE FOR ALL TO public USING (pair between (select tenant_pair(current_setting('app.tenant', true), '00'))
      and (select tenant_pair(current_setting('app.tenant', true), 'ff'))) WITH CHECK (pair between (select tenant_pair(current_setting('app.tenant', true), '00'))
      and (select tenant_pair(current_setting('app.tenant', true), 'ff')));--> statement-breakpoint
CREATE POLICY "of_tenant" ON "responses" AS PERMISSIVE FOR ALL TO public USING (tenant = current_setting('app.tenant', true)) WITH CHECK (tenant = current_setting('app.tenant', true));
