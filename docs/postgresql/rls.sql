-- rls.sql -- row-level security: a login sees and writes the rows of its own tenants, whatever SQL it sends.
--
--   psql -v ON_ERROR_STOP=1 -f rls.sql "dbname=kecs"                     -v schema=NAME: another schema than "kecs"
--
-- Run it as a superuser after roles.sql, each time that roles.sql runs. A table without a policy shows nothing.
--
-- Whose tenants a login may see stands in a table that only kecs_owner and superusers write:
--
--   INSERT INTO kecs_access.role_tenants VALUES ('shop', 'fleet-7');
--
-- and the program opens the store with tenant=fleet-7 in its URL. With another tenant it finds nothing, and what it
-- writes is DENIED. A login that is not in the table sees nothing. The policies go by current_user, which a session can
-- set to nothing but roles that it is a member of; no setting takes part. So never make one tenant's login a member of
-- another one's, and never let several tenants share a login.
--
-- kecs_owner and superusers see every tenant: foreign keys and migrations work as the owner.

\if :{?schema}
\else
  \set schema kecs
\endif

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT set_config('kecs.schema', :'schema', true) AS schema \gset

CREATE SCHEMA IF NOT EXISTS kecs_access AUTHORIZATION kecs_owner;
CREATE TABLE IF NOT EXISTS kecs_access.role_tenants (
  role name NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  PRIMARY KEY (role, tenant)
);
ALTER TABLE kecs_access.role_tenants OWNER TO kecs_owner;
REVOKE ALL ON SCHEMA kecs_access FROM PUBLIC;
REVOKE ALL ON kecs_access.role_tenants FROM PUBLIC, kecs_app, kecs_reader;
GRANT USAGE ON SCHEMA kecs_access TO kecs_app, kecs_reader;
GRANT SELECT ON kecs_access.role_tenants TO kecs_app, kecs_reader;
ALTER TABLE kecs_access.role_tenants ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON kecs_access.role_tenants;
CREATE POLICY own ON kecs_access.role_tenants FOR SELECT USING (role = current_user);

-- The tenants are looked up once for a statement, not once for a row.
DO $$
DECLARE
  wanted text := current_setting('kecs.schema');
  ours text := 'tenant = ANY (ARRAY(SELECT r.tenant FROM kecs_access.role_tenants r WHERE r.role = current_user))';
  one record;
BEGIN
  FOR one IN SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
             WHERE n.nspname = wanted AND c.relkind IN ('r', 'p') AND NOT c.relispartition LOOP
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', wanted, one.name);
    EXECUTE format('DROP POLICY IF EXISTS kecs_tenant ON %I.%I', wanted, one.name);
    EXECUTE format('CREATE POLICY kecs_tenant ON %I.%I FOR ALL TO kecs_app, kecs_reader USING (%s) WITH CHECK (%s)',
                   wanted, one.name, ours, ours);
  END LOOP;
END $$;
COMMIT;
