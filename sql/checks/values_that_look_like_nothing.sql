-- name: values_that_look_like_nothing
-- description: Texts that cleaning kept but that read like one more way to say "nothing" (No ... available, ... error, N/A), with how
--   often they occur. A real title may read so too: a person decides.
-- columns: column_name, text, times
SELECT column_name, text, count(*) AS times
FROM (
  SELECT 'title' AS column_name, title AS text FROM posts WHERE length(title) < 40
  UNION ALL
  SELECT 'description' AS column_name, description AS text FROM posts WHERE length(description) < 40
  UNION ALL
  SELECT 'poster_name' AS column_name, poster_name AS text FROM posts WHERE length(poster_name) < 40
  UNION ALL
  SELECT 'tag_list' AS column_name, tag_list AS text FROM posts WHERE length(tag_list) < 40
  UNION ALL
  SELECT 'image_src' AS column_name, image_src AS text FROM posts WHERE length(image_src) < 40
  UNION ALL
  SELECT 'category' AS column_name, category AS text FROM posts WHERE length(category) < 40
  UNION ALL
  SELECT 'country' AS column_name, country AS text FROM posts WHERE length(country) < 40
) AS texts
WHERE lower(text) IN ('none', 'null', 'nil', 'nan', 'n/a', 'na', 'undefined', 'unknown', 'error', '-')
  OR lower(text) LIKE 'no % available%'
  OR lower(text) LIKE '% error'
  OR lower(text) LIKE '% error.'
GROUP BY column_name, text
ORDER BY times DESC, column_name, text;
