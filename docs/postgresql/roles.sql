-- roles.sql -- who may do what with a store on PostgreSQL: an owner that makes and migrates the tables, programs that
-- read and write rows, readers.
--
--   psql -v ON_ERROR_STOP=1 -f roles.sql "dbname=kecs"                   the schema "kecs"
--   psql -v ON_ERROR_STOP=1 -v schema=fleet -f roles.sql "dbname=kecs"   another one
--
-- Run it as a superuser: before the store is opened for the first time, when there are no tables yet, and again after
-- that and after each upgrade. It gives no rights on tables that a later version makes: until it runs again, programs
-- are told DENIED, and which GRANT is missing. Running it twice changes nothing.
--
--   kecs_owner   owns the schema and its tables. Opens the store once after each upgrade; programs never log in with it
--   kecs_app     reads and writes rows; makes, changes and drops nothing
--   kecs_reader  reads rows
--
-- They have no passwords. Give the owner one, and make a login for each program:
--
--   ALTER ROLE kecs_owner LOGIN PASSWORD '...';
--   CREATE ROLE shop LOGIN PASSWORD '...' IN ROLE kecs_app;
--   CREATE ROLE dashboard LOGIN PASSWORD '...' IN ROLE kecs_reader;
--
-- Every login of kecs_app sees every tenant until rls.sql has run.

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
  FOREACH wanted IN ARRAY ARRAY['kecs_owner', 'kecs_app', 'kecs_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
END $$;

CREATE SCHEMA IF NOT EXISTS :"schema" AUTHORIZATION kecs_owner;
ALTER SCHEMA :"schema" OWNER TO kecs_owner;
REVOKE ALL ON SCHEMA :"schema" FROM PUBLIC;
GRANT USAGE ON SCHEMA :"schema" TO kecs_app, kecs_reader;

-- Tables that somebody else made, and what the roles may do with each. schema_version is the owner's to write.
DO $$
DECLARE
  wanted text := current_setting('kecs.schema');
  one record;
BEGIN
  FOR one IN SELECT c.relname AS name, c.relowner <> 'kecs_owner'::regrole AS stranger FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = wanted AND c.relkind IN ('r', 'p') AND NOT c.relispartition LOOP
    IF one.stranger THEN
      EXECUTE format('ALTER TABLE %I.%I OWNER TO kecs_owner', wanted, one.name);
    END IF;
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC, kecs_app, kecs_reader', wanted, one.name);
    EXECUTE format('GRANT SELECT ON %I.%I TO kecs_app, kecs_reader', wanted, one.name);
    IF one.name <> 'schema_version' THEN
      EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I.%I TO kecs_app', wanted, one.name);
    END IF;
  END LOOP;
  -- The change log's functions: what stamps and what numbers runs as the owner. Its triggers ask for no right.
  FOR one IN SELECT p.oid::regprocedure::text AS name, p.proname, p.proowner <> 'kecs_owner'::regrole AS stranger
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = wanted AND p.proname ~ '^(change|feed)_' LOOP
    IF one.stranger THEN
      EXECUTE format('ALTER FUNCTION %s OWNER TO kecs_owner', one.name);
    END IF;
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, kecs_app, kecs_reader', one.name);
    IF one.proname IN ('change_number', 'change_channel') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO kecs_app, kecs_reader', one.name);
    ELSIF one.proname = 'change_stamp' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO kecs_app', one.name);
    END IF;
  END LOOP;
  FOR one IN SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = wanted AND c.relkind = 'S' AND c.relname = 'change_clock'
             AND c.relowner <> 'kecs_owner'::regrole LOOP
    EXECUTE format('ALTER SEQUENCE %I.%I OWNER TO kecs_owner', wanted, one.name);
  END LOOP;
  -- Of partitioned tables, which count their rows by a sequence.
  FOR one IN SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = wanted AND c.relkind = 'S' AND c.relname LIKE '%\_rid\_numbers' LOOP
    EXECUTE format('GRANT USAGE ON SEQUENCE %I.%I TO kecs_app', wanted, one.name);
  END LOOP;
END $$;
COMMIT;
