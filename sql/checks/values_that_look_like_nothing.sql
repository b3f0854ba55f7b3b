-- name: values_that_look_like_nothing
-- description: Texts that cleaning kept but that read like one more way to say "nothing" (No ... available, ... error, N/A), with how
--   often they occur. A real title may read so too: a person decides.
-- columns: column_name, text, times
SELECT column_name, text, CAST(sum(times) AS BIGINT) AS times
FROM (
  -- CASE, so that an engine asks the cheap question first.
  SELECT 'title' AS column_name, title AS text, 1 AS times FROM posts WHERE CASE WHEN length(title) < 40 THEN pf_says_nothing(title) END
  UNION ALL
  SELECT 'description' AS column_name, description AS text, 1 AS times FROM posts WHERE CASE WHEN length(description) < 60 THEN pf_says_nothing(description) END
  UNION ALL
  SELECT 'poster_name' AS column_name, poster_name AS text, 1 AS times FROM posts WHERE pf_says_nothing(poster_name)
  UNION ALL
  SELECT 'tag_list' AS column_name, tag_list AS text, 1 AS times FROM posts WHERE CASE WHEN tag_list NOT LIKE '%,%' THEN pf_says_nothing(tag_list) END
  UNION ALL
  SELECT 'image_src' AS column_name, image_src AS text, 1 AS times FROM posts WHERE CASE WHEN image_src NOT LIKE 'http%' THEN pf_says_nothing(image_src) END
  UNION ALL
  -- Of these there are few: each is looked at once.
  SELECT 'category' AS column_name, category AS text, times
  FROM (SELECT category, count(*) AS times FROM posts GROUP BY category) AS categories WHERE pf_says_nothing(category)
  UNION ALL
  SELECT 'country' AS column_name, country AS text, times
  FROM (SELECT country, count(*) AS times FROM posts GROUP BY country) AS countries WHERE pf_says_nothing(country)
) AS texts
GROUP BY column_name, text
ORDER BY times DESC, column_name, text;
