/** The SQLSTATE of ours that says: this connection does not read what was committed while it waited. */
export const wrongIsolation = "BY001";

/** The columns of a key's account, each between these two and with a comma behind it, where the version knows them. */
export type AccountColumns = (prefix?: string, suffix?: string) => string;

export const ref = "p_org text, p_provider text, p_name text";
export const now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
export const mine = "org_id = p_org AND provider = p_provider AND name = p_name";

/** A lock is waited for no longer than its caller waits. */
export const limitLocks = "PERFORM set_config('lock_timeout', p_limit_ms::text, true);";

export const assertIsolation: string = `IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'A change needs READ COMMITTED.' USING ERRCODE = '${wrongIsolation}';
  END IF;`;
