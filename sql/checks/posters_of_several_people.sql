-- name: posters_of_several_people
-- description: Poster names that belong to more than one person; in sound data a poster is one person.
-- columns: poster_name, people
SELECT poster_name, count(*) AS people
FROM people
WHERE poster_name IS NOT NULL
GROUP BY poster_name
HAVING count(*) > 1
ORDER BY people DESC, poster_name;
