-- sync_roles.sql -- what edges may do at a hub: a login for each site, held to its scope by row-level security, or one
-- login for all, which may only call functions that ask for a site's token.
--
--   psql -v ON_ERROR_STOP=1 -f sync_roles.sql "dbname=kecs"              -v schema=NAME: another schema than "kecs"
--
-- Run it as a superuser after roles.sql, rls.sql and `kecs hub init`, and again each time that one of them runs.
--
--   kecs_site    for a login that is one site's. Which, stands in a table that only kecs_owner and superusers write:
--
--                  CREATE ROLE cellar LOGIN PASSWORD '...' IN ROLE kecs_site;
--                  INSERT INTO kecs_access.role_sites VALUES ('cellar', 'fleet-7', 'cellar');
--
--                and the edge syncs with tenant=fleet-7 as the site "cellar". Whatever SQL the login sends, it reads and
--                writes the rows of the clusters that `kecs hub grant` gave the site; of the tenant, where none was given.
--   kecs_edges   for a login that edges share. It has no right on any table; `kecs hub token SITE` makes what it asks for:
--
--                  CREATE ROLE edges LOGIN PASSWORD '...' IN ROLE kecs_edges;
--
-- Neither goes by a setting, which any SQL could change: policies go by current_user, functions by the token that comes
-- with each call. To end it: REVOKE kecs_site FROM cellar, or delete the line of role_sites; kecs hub revoke SITE.
--
-- What a site's login sees of its tenant beside its rows: numbers, times and kinds of changes, and the names of sites.

\if :{?schema}
\else
  \set schema kecs
\endif

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT set_config('kecs.schema', :'schema', true) AS schema \gset

DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['kecs_site', 'kecs_edges'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA :"schema" TO kecs_site, kecs_edges;

CREATE SCHEMA IF NOT EXISTS kecs_access AUTHORIZATION kecs_owner;
CREATE TABLE IF NOT EXISTS kecs_access.role_sites (
  role name NOT NULL PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  site text COLLATE "C" NOT NULL
);
ALTER TABLE kecs_access.role_sites OWNER TO kecs_owner;
REVOKE ALL ON SCHEMA kecs_access FROM PUBLIC;
REVOKE ALL ON kecs_access.role_sites FROM PUBLIC, kecs_app, kecs_reader;
GRANT USAGE ON SCHEMA kecs_access TO kecs_site;
GRANT SELECT ON kecs_access.role_sites TO kecs_site;
ALTER TABLE kecs_access.role_sites ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON kecs_access.role_sites;
CREATE POLICY own ON kecs_access.role_sites FOR SELECT USING (role = current_user);

-- Functions: theirs is what runs as its owner, and nobody calls what is not for him.
DO $$
DECLARE
  wanted text := current_setting('kecs.schema');
  one record;
BEGIN
  FOR one IN SELECT p.oid::regprocedure::text AS name, p.proname, p.proowner <> 'kecs_owner'::regrole AS stranger
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = wanted AND p.proname ~ '^(sync|gate)_' LOOP
    IF one.stranger THEN
      EXECUTE format('ALTER FUNCTION %s OWNER TO kecs_owner', one.name);
    END IF;
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, kecs_app, kecs_reader, kecs_site, kecs_edges', one.name);
    IF one.proname ~ '^gate_' OR one.proname IN ('sync_version', 'sync_policy') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO kecs_edges', one.name);
    END IF;
    IF one.proname ~ '^sync_' AND one.proname <> 'sync_check' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO kecs_app, kecs_site', one.name);
    END IF;
  END LOOP;
  FOR one IN SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = wanted AND p.proname IN ('change_number', 'change_stamp') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO kecs_site', one.name);
  END LOOP;
END $$;

-- Tables, and which of their rows are a site's. What is looked up is looked up once for a statement.
DO $$
DECLARE
  wanted text := current_setting('kecs.schema');
  scopes text := format('(SELECT %1$I.sync_named(%1$I.sync_granted(r.tenant, r.site)) FROM kecs_access.role_sites r '
                        'WHERE r.role = current_user AND %1$I.sync_granted(r.tenant, r.site) IS NOT NULL)', wanted);
  tenant text := 'tenant = ANY (ARRAY(SELECT r.tenant FROM kecs_access.role_sites r WHERE r.role = current_user))';
  -- Whether all of the tenant is the site's, or what %s says is in its scopes.
  inside text := format('(%1$s IS NULL OR %%s = ANY ((%1$s)::text[]))', scopes);
  own text := format('%1$I.sync_base(name) = ANY (ARRAY(SELECT r.site FROM kecs_access.role_sites r '
                     'WHERE r.role = current_user))', wanted);
  numbers text := format('site = ANY (ARRAY(SELECT s.site FROM %1$I.sync_sites s JOIN kecs_access.role_sites r '
                         'ON s.tenant = r.tenant AND %1$I.sync_base(s.name) = r.site WHERE r.role = current_user))',
                         wanted);
  keyed text := format(inside, format('%I.sync_scope(kind, key)', wanted));
  none text := format(inside, '''-''');
  one record;
BEGIN
  FOR one IN SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
             WHERE n.nspname = wanted AND c.relkind IN ('r', 'p') AND NOT c.relispartition LOOP
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', wanted, one.name);
    EXECUTE format('REVOKE ALL ON %I.%I FROM kecs_site, kecs_edges', wanted, one.name);
  END LOOP;
  FOR one IN SELECT p.policyname AS name, p.tablename AS owner FROM pg_policies p
             WHERE p.schemaname = wanted AND p.policyname ~ '^kecs_site_' LOOP
    EXECUTE format('DROP POLICY %I ON %I.%I', one.name, wanted, one.owner);
  END LOOP;
  -- Only the owner gives and takes.
  EXECUTE format('REVOKE ALL ON %1$I.sync_tokens, %1$I.sync_grants, %1$I.sync_limits FROM PUBLIC, kecs_app, '
                 'kecs_reader', wanted);
  EXECUTE format('GRANT SELECT ON %1$I.sync_grants, %1$I.sync_limits TO kecs_app, kecs_site', wanted);

  -- Rows: a site sees what is its own by the key, and writes what refers to nothing else either.
  FOR one IN SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'sync_owner_' || c.relname
             WHERE n.nspname = wanted AND c.relkind IN ('r', 'p') AND NOT c.relispartition LOOP
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO kecs_site', wanted, one.name);
    EXECUTE format('CREATE POLICY kecs_site_rows ON %1$I.%2$I FOR ALL TO kecs_site USING (%3$s AND %4$s) '
                   'WITH CHECK (%3$s AND (%5$s IS NULL OR %1$I.sync_inside_%2$s(%2$I, (%5$s)::text[])))',
                   wanted, one.name, tenant, format(inside, format('%I.sync_owner_%s(%I)', wanted, one.name, one.name)),
                   scopes);
  END LOOP;

  -- What follows from rows that belong to no cluster.
  FOR one IN SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = wanted AND c.relname IN ('task_definition_families', 'elbv2_associations') LOOP
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO kecs_site', wanted, one.name);
    EXECUTE format('CREATE POLICY kecs_site_rows ON %I.%I FOR ALL TO kecs_site USING (%s AND %s)', wanted, one.name,
                   tenant, none);
  END LOOP;

  -- The log: its entries bear neither key nor content, but for those of deletions.
  FOR one IN SELECT * FROM (VALUES
      ('change_heads', 'SELECT', 'SELECT', tenant, NULL),
      ('change_state', 'SELECT', 'SELECT', tenant, NULL),
      ('change_batches', 'SELECT', 'SELECT', tenant, NULL),
      ('changes', 'SELECT', 'SELECT', tenant, NULL),
      ('change_tombstones', 'SELECT', 'SELECT', tenant || ' AND ' || keyed, NULL),
      ('change_queue', 'SELECT (tenant, id, batch, site, kind, rid, groups, op, stamp, key)', 'SELECT',
       tenant || ' AND (op <> 3 OR ' || keyed || ')', NULL),
      ('change_queue', 'INSERT', 'INSERT', NULL, tenant || ' AND (op <> 3 OR ' || keyed || ')'),
      ('change_queue', 'UPDATE (stamp, site)', 'UPDATE', tenant || ' AND op = 3 AND batch = txid_current() AND ' || keyed,
       tenant),
      -- When the server was another one: a site may tell so, and with it put off that tombstones go.
      ('change_state', 'INSERT', 'INSERT', NULL, tenant || ' AND id = 11'),
      ('change_state', 'UPDATE (value)', 'UPDATE', tenant || ' AND id = 11', tenant || ' AND id = 11'),
      ('sync_hubs', 'SELECT', 'SELECT', tenant, NULL),
      ('sync_hubs', 'INSERT', 'INSERT', NULL, tenant),
      ('sync_hubs', 'UPDATE (history)', 'UPDATE', tenant, tenant),
      ('sync_policies', 'SELECT', 'SELECT', tenant, NULL),
      ('sync_sites', 'SELECT', 'SELECT', tenant, NULL),
      ('sync_sites', 'INSERT', 'INSERT', NULL, tenant || ' AND ' || own),
      ('sync_sites', 'UPDATE (pushes, push, previous, acked, seen, wanted, cursor)', 'UPDATE', tenant || ' AND ' || own,
       tenant || ' AND ' || own),
      ('sync_grants', 'SELECT', 'SELECT', format('(tenant, site) IN (SELECT r.tenant, r.site FROM '
       'kecs_access.role_sites r WHERE r.role = current_user)'), NULL),
      ('sync_limits', 'SELECT', 'SELECT', 'tenant = ANY (ARRAY(SELECT r.tenant FROM kecs_access.role_sites r '
       'WHERE r.role = current_user AND sync_limits.site IN (r.site, '''')))', NULL),
      ('sync_refused', 'SELECT, INSERT, UPDATE, DELETE', 'ALL', tenant || ' AND ' || numbers, NULL),
      ('sync_conflicts', 'INSERT', 'INSERT', NULL, tenant || ' AND ' || numbers || ' AND ' || keyed)
    ) AS v(name, rights, what, sees, writes) LOOP
    EXECUTE format('GRANT %s ON %I.%I TO kecs_site', one.rights, wanted, one.name);
    EXECUTE format('CREATE POLICY %I ON %I.%I FOR %s TO kecs_site%s%s', 'kecs_site_' || lower(one.what), wanted,
                   one.name, one.what, coalesce(' USING (' || one.sees || ')', ''),
                   coalesce(' WITH CHECK (' || one.writes || ')', ''));
  END LOOP;
END $$;
COMMIT;
