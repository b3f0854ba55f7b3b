-- Attempts to get past the fence, one a line. Each must be refused by name, before it runs.
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_json_auto('/etc/passwd')
SELECT * FROM read_json_objects('/etc/passwd')
SELECT * FROM read_ndjson('/etc/passwd')
SELECT * FROM read_parquet('/tmp/x.parquet')
SELECT * FROM parquet_scan('/tmp/x.parquet')
SELECT * FROM parquet_metadata('/tmp/x.parquet')
SELECT * FROM parquet_schema('/tmp/x.parquet')
SELECT * FROM parquet_file_metadata('/tmp/x.parquet')
SELECT * FROM parquet_kv_metadata('/tmp/x.parquet')
SELECT * FROM glob('/etc/*')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM '/etc/passwd'
SELECT * FROM '/tmp/x.parquet'
SELECT * FROM "/etc/passwd"
FROM 'data.csv'
FROM "https://example.org/x.csv"
WITH "/etc/passwd.csv" AS (SELECT 1) SELECT * FROM '/etc/passwd.csv'
SELECT (SELECT content FROM read_text('/etc/passwd'))
SELECT * FROM shop WHERE a IN (SELECT size FROM read_text('/etc/hosts'))
WITH t AS MATERIALIZED (SELECT * FROM glob('*')) SELECT * FROM t
SELECT * FROM shop JOIN LATERAL (SELECT * FROM read_text('/etc/hosts')) ON true
SELECT * FROM shop UNION ALL SELECT size, filename FROM read_text('/etc/hosts')
SELECT * FROM shop ORDER BY (SELECT count(*) FROM glob('*'))
SELECT * FROM (PIVOT (FROM glob('*')) ON file IN ('x') USING count(*))
DESCRIBE SELECT * FROM read_csv('/etc/passwd')
SUMMARIZE SELECT * FROM read_csv('/etc/passwd')
SUMMARIZE '/etc/passwd'
DESCRIBE "/etc/passwd"
EXPLAIN SELECT * FROM read_text('/etc/passwd')
EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')
EXPLAIN COPY shop TO '/tmp/out.csv'
EXPLAIN ANALYZE COPY shop TO '/tmp/out.csv'
explain/**/analyze DROP TABLE shop
EXPLAIN EXPLAIN SELECT 1
COPY shop TO '/tmp/out.csv'
COPY (SELECT 1) TO '/tmp/out.parquet'
COPY shop FROM '/etc/passwd'
EXPORT DATABASE '/tmp/out'
IMPORT DATABASE '/tmp/out'
ATTACH '/tmp/x.db' AS x
ATTACH ':memory:' AS x
DETACH memory
USE memory
INSTALL httpfs
LOAD httpfs
LOAD '/tmp/x.duckdb_extension'
FORCE INSTALL httpfs
UPDATE EXTENSIONS
SET memory_limit = '100GB'
SET GLOBAL enable_external_access = true
RESET memory_limit
PRAGMA database_list
PRAGMA enable_profiling
PRAGMA table_info('shop')
CALL pragma_version()
CHECKPOINT
VACUUM
BEGIN
COMMIT
CREATE TABLE x AS SELECT 1
CREATE TEMP VIEW x AS SELECT 1
CREATE MACRO f(x) AS x
CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')
DROP VIEW shop
ALTER VIEW shop RENAME TO y
INSERT INTO shop VALUES (1, 'x')
UPDATE shop SET a = 1
DELETE FROM shop
MERGE INTO shop USING shop AS s ON true WHEN MATCHED THEN DELETE
PREPARE p AS SELECT 1
EXECUTE p
DEALLOCATE p
SET VARIABLE x = 1
SELECT getvariable('x')
SELECT getenv('HOME')
SELECT current_setting('memory_limit')
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_extensions()
SELECT * FROM duckdb_views()
SELECT * FROM duckdb_tables
SELECT * FROM duckdb_logs
SELECT * FROM information_schema.tables
SELECT * FROM pg_catalog.pg_class
SELECT * FROM sqlite_master
SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('shop')
SELECT * FROM query_table(['shop'])
SELECT * FROM json_execute_serialized_sql('{}')
SELECT json_serialize_sql('SELECT 1')
SELECT write_log('x')
SELECT nextval('x')
SELECT pg_catalog.pg_typeof(1)
SELECT system.main.getvariable('x')
SELECT 'x'.getvariable()
SELECT list_transform([1], lambda x: getvariable('x'))
SELECT sum(a) FILTER (WHERE current_setting('threads') = '1') FROM shop
SELECT sum(a) OVER (ORDER BY current_setting('threads')) FROM shop
SELECT CASE WHEN true THEN current_setting('threads') END
SELECT * FROM shop LIMIT (SELECT count(*) FROM glob('*'))
SELECT * FROM repeat_row(1, num_rows = 5)
SELECT * FROM pragma_version()
SELECT * FROM which_secret('s3://x', 's3')
SELECT * FROM enable_logging()
SELECT * FROM histogram('shop', a)
SHOW ALL TABLES
SHOW DATABASES
SHOW VARIABLES
DESCRIBE
SELECT 1; SELECT 2
SELECT 1; DROP VIEW shop
SELECT * FROM shop; COPY shop TO '/tmp/out.csv'
PIVOT shop ON a
FROM memory.main.shop
FROM other.shop
FROM shop AT (VERSION => 1)
SELECT $1
SELECT ?
