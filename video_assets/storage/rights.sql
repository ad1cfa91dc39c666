-- name: plain_names()#
-- Write every name with its schema, whatever the path of this connection; for this transaction.
SELECT set_config('search_path', 'pg_catalog', true);

-- name: has_objects()$
-- Whether files are kept beside the tables; the migrations make no policies for them elsewhere.
SELECT EXISTS (SELECT FROM pg_class AS c
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = 'storage' AND c.relname = 'objects');

-- name: rights()
-- What roles may do with what is ours, as the statements that would bring it about.
WITH ours AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('public', 'private')
), grantees AS (
    SELECT 0::oid AS grantee, 'PUBLIC' AS role
    UNION ALL
    SELECT oid, rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')
), tables AS (
    SELECT c.oid, c.relkind, c.reloptions, c.relrowsecurity, c.relowner, c.relacl,
           format('%%I.%%I', o.nspname, c.relname) AS name
      FROM pg_class AS c
      JOIN ours AS o ON o.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
), functions AS (
    SELECT p.oid, p.oid::regprocedure::text AS name, p.prosecdef, p.proconfig, p.proowner, p.proacl
      FROM pg_proc AS p
      JOIN ours AS o ON o.oid = p.pronamespace
), policies AS (
    SELECT p.*, format('%%I.%%I', n.nspname, c.relname) AS name,
           pg_get_expr(p.polqual, p.polrelid) AS reads,
           pg_get_expr(p.polwithcheck, p.polrelid) AS writes
      FROM pg_policy AS p
      JOIN pg_class AS c ON c.oid = p.polrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.oid IN (SELECT oid FROM ours) OR n.nspname = 'storage'
), lines AS (
    SELECT format('GRANT %%s ON SCHEMA %%I TO %%s;', a.privilege_type, n.nspname, g.role) AS line
      FROM pg_namespace AS n
     CROSS JOIN aclexplode(n.nspacl) AS a
      JOIN grantees AS g USING (grantee)
     WHERE n.nspname IN ('private', 'extensions')
    UNION ALL
    SELECT format('GRANT %%s ON %%s %%s TO %%s;', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
                  CASE t.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, t.name, g.role)
      FROM tables AS t
     CROSS JOIN aclexplode(t.relacl) AS a
      JOIN grantees AS g USING (grantee)
     GROUP BY t.name, t.relkind, g.role
    UNION ALL
    SELECT format('GRANT %%s (%%s) ON TABLE %%s TO %%s;', a.privilege_type,
                  string_agg(quote_ident(c.attname), ', ' ORDER BY c.attname), t.name, g.role)
      FROM tables AS t
      JOIN pg_attribute AS c ON c.attrelid = t.oid AND NOT c.attisdropped
     CROSS JOIN aclexplode(c.attacl) AS a
      JOIN grantees AS g USING (grantee)
     GROUP BY t.name, a.privilege_type, g.role
    UNION ALL
    SELECT format('GRANT EXECUTE ON FUNCTION %%s TO %%s;', f.name, g.role)
      FROM functions AS f
     CROSS JOIN aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a
      JOIN grantees AS g USING (grantee)
    UNION ALL
    SELECT format('ALTER FUNCTION %%s SECURITY %%s%%s;', name,
                  CASE WHEN prosecdef THEN 'DEFINER' ELSE 'INVOKER' END,
                  (SELECT string_agg(' SET ' || replace(s, '=', ' = '), '' ORDER BY s)
                     FROM unnest(proconfig) AS s))
      FROM functions
    UNION ALL
    SELECT format('ALTER TABLE %%s ENABLE ROW LEVEL SECURITY;', name)
      FROM tables
     WHERE relkind IN ('r', 'p') AND relrowsecurity
    UNION ALL
    SELECT format('ALTER VIEW %%s SET (security_invoker = true);', name)
      FROM tables
     WHERE relkind = 'v' AND 'security_invoker=true' = ANY (reloptions)
    UNION ALL
    SELECT format('CREATE POLICY %%I ON %%s AS %%s FOR %%s TO %%s%%s%%s;', polname, name,
                  CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                              WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                  (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ', ' ORDER BY r::regrole::text)
                     FROM unnest(polroles) AS r),
                  ' USING (' || reads || ')', ' WITH CHECK (' || writes || ')')
      FROM policies
     WHERE name <> 'storage.objects' OR concat(reads, writes) LIKE '%%''artifacts''::text%%'
    UNION ALL
    SELECT pg_get_triggerdef(g.oid) || ';'
      FROM pg_trigger AS g
      JOIN functions AS f ON f.oid = g.tgfoid
      JOIN pg_class AS c ON c.oid = g.tgrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = 'auth' AND c.relname = 'users'
)
SELECT regexp_replace(line, '\s+', ' ', 'g') AS line FROM lines ORDER BY line COLLATE "C";
