-- name: category_drift
-- description: Categories whose share of the posts that came since the last run differs from their share before by more than five
--   hundredths and more than chance explains (four standard errors); asked where at least a hundred posts came and were there before.
-- columns: category, posts_before, posts_new, share_before, share_new
SELECT
  category,
  posts_before,
  posts_new,
  posts_before * 1.0e0 / all_before AS share_before,
  posts_new * 1.0e0 / all_new AS share_new
FROM (
  SELECT
    category,
    posts_before,
    posts_now - posts_before AS posts_new,
    nullif(CAST(sum(posts_before) OVER () AS BIGINT), 0) AS all_before,
    nullif(CAST(sum(posts_now - posts_before) OVER () AS BIGINT), 0) AS all_new
  FROM (
    SELECT category, CAST(sum(was) AS BIGINT) AS posts_before, CAST(sum(1 - was) AS BIGINT) AS posts_now
    FROM (
      SELECT category, 1 AS was FROM posts_before WHERE category IS NOT NULL
      UNION ALL
      SELECT category, 0 AS was FROM posts WHERE category IS NOT NULL
    ) AS both_times
    GROUP BY category
  ) AS counted
) AS shared
WHERE all_before >= 100 AND all_new >= 100 AND posts_new >= 0
  AND abs(posts_new * 1.0e0 / all_new - posts_before * 1.0e0 / all_before) > 0.05e0
  AND abs(posts_new * 1.0e0 / all_new - posts_before * 1.0e0 / all_before)
    > 4 * sqrt(posts_before * 1.0e0 / all_before * (1 - posts_before * 1.0e0 / all_before) / all_new)
ORDER BY category;
