-- partitions.sql -- task_logs and events in partitions by month, made ahead and dropped whole. Only for who wants it:
-- docs/postgresql.md says what it costs.
--
--   psql -v ON_ERROR_STOP=1 -f partitions.sql "dbname=kecs"              -v schema=NAME: another schema than "kecs"
--
-- Run it as the tables' owner or a superuser, when the store has made its tables; programs wait meanwhile. The rows
-- that are there become the first partition; then there is one for each month. Running it again changes nothing.
-- Where roles.sql and rls.sql are in use, run both again afterwards, in one go.
--
-- Then, once a day, as the owner, for example by cron:
--
--   SELECT * FROM kecs_partitions.upkeep('kecs', keep_logs => '30 days', keep_events => '400 days');
--
-- makes the partitions of the next two months, drops those whose every row is older, of all tenants, and deletes what
-- else is older. Without keep_...: rows stay, but partitions of the past in which no tenant has a row any more go.
-- kecs_task_log_delete_older and kecs_event_prune go on working: they delete the rows of their own tenant.

\if :{?schema}
\else
  \set schema kecs
\endif

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT set_config('kecs.schema', :'schema', true) AS schema \gset

CREATE SCHEMA IF NOT EXISTS kecs_partitions;
REVOKE ALL ON SCHEMA kecs_partitions FROM PUBLIC;

-- The first moment of a month, as the store writes times: microseconds since 1970 UTC.
CREATE OR REPLACE FUNCTION kecs_partitions.month(at timestamptz, months int) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM (date_trunc('month', at AT TIME ZONE 'UTC') + make_interval(months => months))
          AT TIME ZONE 'UTC') * 1000000)::bigint
$$;

-- The partitions of a table; ends_at is NULL for the one that takes what no other does.
CREATE OR REPLACE FUNCTION kecs_partitions.list(in_schema text, in_table text)
RETURNS TABLE (part text, ends_at bigint) LANGUAGE sql STABLE AS $$
  SELECT c.relname::text, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''(-?[0-9]+)''\)')::bigint
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
  JOIN pg_namespace n ON n.oid = p.relnamespace WHERE n.nspname = in_schema AND p.relname = in_table
$$;

-- One month's partition, if it is missing. Rows of that month that had no partition yet move into it.
CREATE OR REPLACE FUNCTION kecs_partitions.make(in_schema text, in_table text, in_column text, at timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  from_us bigint := kecs_partitions.month(at, 0);
  to_us bigint := kecs_partitions.month(at, 1);
  fresh text := in_table || to_char(at AT TIME ZONE 'UTC', '_YYYY_MM');
BEGIN
  IF EXISTS (SELECT FROM kecs_partitions.list(in_schema, in_table) l WHERE l.part = fresh) OR
     to_us <= (SELECT min(l.ends_at) FROM kecs_partitions.list(in_schema, in_table) l) THEN
    RETURN NULL;
  END IF;
  EXECUTE format('CREATE TABLE %I.%I (LIKE %I.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', in_schema, fresh,
                 in_schema, in_table);
  EXECUTE format('WITH moved AS (DELETE FROM %I.%I WHERE %I >= %s AND %I < %s RETURNING *) '
                 'INSERT INTO %I.%I SELECT * FROM moved',
                 in_schema, in_table || '_rest', in_column, from_us, in_column, to_us, in_schema, fresh);
  EXECUTE format('ALTER TABLE %I.%I ATTACH PARTITION %I.%I FOR VALUES FROM (%s) TO (%s)', in_schema, in_table,
                 in_schema, fresh, from_us, to_us);
  RETURN fresh;
END $$;

CREATE OR REPLACE FUNCTION kecs_partitions.upkeep_table(in_schema text, in_table text, in_column text, ahead int,
                                                        keep interval, today timestamptz)
RETURNS TABLE (did text, part text, row_count bigint) LANGUAGE plpgsql AS $$
DECLARE
  before bigint := (extract(epoch FROM today - keep) * 1000000)::bigint; -- NULL: rows stay
  one record;
  used boolean;
BEGIN
  FOR month IN 0 .. ahead LOOP
    part := kecs_partitions.make(in_schema, in_table, in_column, date_trunc('month', today AT TIME ZONE 'UTC')
                                 AT TIME ZONE 'UTC' + make_interval(months => month));
    IF part IS NOT NULL THEN
      did := 'made';
      row_count := 0;
      RETURN NEXT;
    END IF;
  END LOOP;
  FOR one IN SELECT l.part, l.ends_at FROM kecs_partitions.list(in_schema, in_table) l
             WHERE l.ends_at <= kecs_partitions.month(today, 0) ORDER BY l.ends_at LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', in_schema, one.part) INTO used;
    IF one.ends_at <= before OR NOT used THEN
      did := 'dropped';
      part := one.part;
      EXECUTE format('SELECT count(*) FROM %I.%I', in_schema, part) INTO row_count;
      EXECUTE format('DROP TABLE %I.%I', in_schema, part);
      RETURN NEXT;
    END IF;
  END LOOP;
  IF before IS NOT NULL THEN
    did := 'deleted';
    part := in_table;
    EXECUTE format('DELETE FROM %I.%I WHERE %I < %s', in_schema, in_table, in_column, before);
    GET DIAGNOSTICS row_count = ROW_COUNT;
    RETURN NEXT;
  END IF;
END $$;

-- It gives up after five seconds rather than make every program wait behind it for somebody's long reading.
CREATE OR REPLACE FUNCTION kecs_partitions.upkeep(in_schema text, ahead int DEFAULT 2, keep_logs interval DEFAULT NULL,
                                                  keep_events interval DEFAULT NULL,
                                                  today timestamptz DEFAULT now())
RETURNS TABLE (did text, part text, row_count bigint) LANGUAGE plpgsql
SET lock_timeout = '5s' SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('kecs_partitions ' || in_schema, 0));
  RETURN QUERY SELECT * FROM kecs_partitions.upkeep_table(in_schema, 'task_logs', 'created_at', ahead, keep_logs,
                                                          today);
  RETURN QUERY SELECT * FROM kecs_partitions.upkeep_table(in_schema, 'events', 'timestamp', ahead, keep_events, today);
END $$;

-- ---- The tables that are there ----

-- Indexes keep their names, because the store makes those that are missing. Rights and policies are carried over.
CREATE OR REPLACE FUNCTION kecs_partitions.convert(in_schema text, in_table text, in_column text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  whole text := format('%I.%I', in_schema, in_table);
  before text := format('%I.%I', in_schema, in_table || '_before');
  rest text := format('%I.%I', in_schema, in_table || '_rest');
  numbers text := format('%I.%I', in_schema, in_table || '_rid_numbers');
  bound bigint := kecs_partitions.month(now(), 1);
  highest bigint;
  indexes text[] := '{}';
  grants text[];
  policies text[];
  triggers text[];
  secured boolean;
  owner text;
  one record;
BEGIN
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', whole);
  SELECT c.relrowsecurity, c.relowner::regrole::text INTO secured, owner FROM pg_class c WHERE c.oid = whole::regclass;
  SELECT coalesce(array_agg(format('GRANT %s ON %s TO %s', a.privilege_type, whole,
                                   CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)), '{}')
    INTO grants FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = whole::regclass AND a.grantee <> c.relowner;
  SELECT coalesce(array_agg(format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.policyname, whole, p.permissive,
                                   p.cmd, (SELECT string_agg(CASE WHEN r = 'public' THEN 'PUBLIC' ELSE quote_ident(r)
                                                             END, ',') FROM unnest(p.roles) r)) ||
                            coalesce(' USING (' || p.qual || ')', '') ||
                            coalesce(' WITH CHECK (' || p.with_check || ')', '')), '{}')
    INTO policies FROM pg_policies p WHERE p.schemaname = in_schema AND p.tablename = in_table;

  -- The change log's triggers are the whole table's: what moves into a partition below is no change.
  SELECT coalesce(array_agg(pg_get_triggerdef(g.oid)), '{}') INTO triggers FROM pg_trigger g
    WHERE g.tgrelid = whole::regclass AND NOT g.tgisinternal;
  FOR one IN SELECT g.tgname FROM pg_trigger g WHERE g.tgrelid = whole::regclass AND NOT g.tgisinternal LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', one.tgname, whole);
  END LOOP;

  FOR one IN SELECT i.indexrelid::regclass::text AS name, c.relname, pg_get_indexdef(i.indexrelid) AS made,
                    k.conname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
             WHERE i.indrelid = whole::regclass LOOP
    IF one.conname IS NOT NULL THEN
      EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', whole, one.conname);
    ELSE
      indexes := indexes || one.made;
      EXECUTE format('ALTER INDEX %s RENAME TO %I', one.name, one.relname || '_before');
    END IF;
  END LOOP;
  EXECUTE format('ALTER TABLE %s ALTER rid DROP IDENTITY', whole);
  EXECUTE format('ALTER TABLE %s RENAME TO %I', whole, in_table || '_before');

  -- A partitioned table has no identity column before PostgreSQL 17; a sequence does the same.
  EXECUTE format('SELECT coalesce(max(rid), 0) + 1 FROM %s', before) INTO highest;
  EXECUTE format('CREATE SEQUENCE %s START WITH %s', numbers, highest);
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS, PRIMARY KEY (tenant, rid, %I), UNIQUE (tenant, id, %I)) '
                 'PARTITION BY RANGE (%I)', whole, before, in_column, in_column, in_column);
  EXECUTE format('ALTER TABLE %s ALTER rid SET DEFAULT nextval(%L)', whole, numbers);
  EXECUTE format('ALTER SEQUENCE %s OWNED BY %s.rid', numbers, whole);
  EXECUTE format('ALTER TABLE %s OWNER TO %s', whole, owner);
  FOR one IN SELECT unnest(indexes) AS made LOOP
    EXECUTE one.made;
  END LOOP;
  EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT', rest, whole);
  EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %I >= %s RETURNING *) INSERT INTO %s SELECT * FROM moved', before,
                 in_column, bound, rest);
  EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (MINVALUE) TO (%s)', whole, before, bound);

  FOR one IN SELECT unnest(triggers) AS made LOOP
    EXECUTE one.made;
  END LOOP;
  FOR one IN SELECT g.tgname FROM pg_trigger g WHERE g.tgrelid = whole::regclass AND NOT g.tgisinternal LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', whole, one.tgname);
  END LOOP;

  -- What was granted on the table counts for it as a whole, and for no partition by itself.
  FOR one IN SELECT a.grantee::regrole::text AS role FROM pg_class c, aclexplode(c.relacl) a
             WHERE c.oid = before::regclass AND a.grantee NOT IN (0, c.relowner) GROUP BY 1 LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', before, one.role);
    EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %s', numbers, one.role);
  END LOOP;
  EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', before);
  IF secured THEN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', whole);
  END IF;
  FOR one IN SELECT unnest(policies || grants) AS made LOOP
    EXECUTE one.made;
  END LOOP;
END $$;

DO $$
DECLARE
  wanted text := current_setting('kecs.schema');
  one record;
BEGIN
  FOR one IN SELECT c.relname, CASE c.relname WHEN 'events' THEN 'timestamp' ELSE 'created_at' END AS by_column
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = wanted AND c.relname IN ('task_logs', 'events') AND c.relkind = 'r' LOOP
    PERFORM kecs_partitions.convert(wanted, one.relname, one.by_column);
  END LOOP;
  PERFORM kecs_partitions.upkeep(wanted);
END $$;
COMMIT;
