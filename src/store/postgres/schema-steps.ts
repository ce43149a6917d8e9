import { composeFunctions } from "./postgres-functions.ts";

/**
 * The schema's steps, each for a schema whose name is quoted already; `byok_schema` counts those that were taken. Append,
 * never edit; only add.
 */
export const schemaSteps: readonly ((schema: string) => string)[] = [
  (schema) => `
  CREATE TABLE ${schema}.byok_clock (
    id integer PRIMARY KEY CHECK (id = 1), incarnation text NOT NULL, seq bigint NOT NULL
  ) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0,
          autovacuum_vacuum_cost_delay = 0);
  CREATE TABLE ${schema}.byok_log (
    seq bigint PRIMARY KEY, org_id text COLLATE "C" NOT NULL, change_id text NOT NULL, at_ms bigint NOT NULL
  );
  CREATE INDEX byok_log_at ON ${schema}.byok_log (at_ms, seq);
  CREATE TABLE ${schema}.byok_org (org_id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL);
  CREATE TABLE ${schema}.byok_place (
    org_id text COLLATE "C" NOT NULL, provider text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
    place uuid NOT NULL, PRIMARY KEY (org_id, provider, name)
  ) WITH (fillfactor = 50);
  CREATE TABLE ${schema}.byok_secret (
    org_id text COLLATE "C" NOT NULL, provider text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
    secret_id text NOT NULL UNIQUE, seq bigint NOT NULL, region text, kid text NOT NULL, sealed text NOT NULL, hint text,
    verdict text NOT NULL, created_at_ms bigint NOT NULL, created_by text, checked_at_ms bigint,
    PRIMARY KEY (org_id, provider, name)
  );
  CREATE TABLE ${schema}.byok_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, seq bigint, at_ms bigint NOT NULL,
    org_id text COLLATE "C" NOT NULL, actor text, provider text NOT NULL, name text NOT NULL, action text NOT NULL,
    secret_id text, previous_secret_id text, region text, verdict text, hint text, times integer NOT NULL DEFAULT 1,
    minute bigint
  );
  CREATE INDEX byok_audit_of ON ${schema}.byok_audit (org_id, id);
  CREATE UNIQUE INDEX byok_audit_attempts ON ${schema}.byok_audit
    (org_id, provider, name, coalesce(actor, ''), minute) WHERE action = 'attempted';
  CREATE FUNCTION ${schema}.byok_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
  BEGIN
    IF TG_OP = 'UPDATE' THEN
      IF OLD.action = 'attempted' AND NEW.times > OLD.times
        AND to_jsonb(NEW) - 'times' = to_jsonb(OLD) - 'times' THEN RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION 'byok_audit is append-only';
  END $body$;
  CREATE TRIGGER byok_audit_stays BEFORE UPDATE OR DELETE ON ${schema}.byok_audit
    FOR EACH ROW EXECUTE FUNCTION ${schema}.byok_refuse_change();
  CREATE TRIGGER byok_audit_remains BEFORE TRUNCATE ON ${schema}.byok_audit
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.byok_refuse_change();
  ${composeFunctions(schema, 1)}
  INSERT INTO ${schema}.byok_clock (id, incarnation, seq) VALUES (1, gen_random_uuid()::text, 0);
  INSERT INTO ${schema}.byok_log (seq, org_id, change_id, at_ms)
    VALUES (0, '', gen_random_uuid()::text, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  `,
  (schema) => `
  ALTER TABLE ${schema}.byok_secret ADD COLUMN organization text, ADD COLUMN project text;
  ALTER TABLE ${schema}.byok_audit ADD COLUMN organization text, ADD COLUMN project text;
  ${composeFunctions(schema, 2)}
  `,
  (schema) => `
  CREATE UNIQUE INDEX byok_audit_observed ON ${schema}.byok_audit (secret_id, verdict) WHERE action = 'observed';
  ${composeFunctions(schema, 3)}
  `,
];
