-- Which cranes have to be looked at in the next six weeks, and who was there last.
WITH last_visit AS (
  SELECT crane_id, max(visited_on) AS visited_on
  FROM visit
  WHERE kind = 'inspection'
  GROUP BY crane_id
)
SELECT
  c.number,
  c.maker,
  c.safe_working_load_t AS load_t,
  c.next_inspection_on,
  v.inspector,
  c.next_inspection_on - current_date AS days_left
FROM crane AS c
LEFT JOIN last_visit AS l ON l.crane_id = c.id
LEFT JOIN visit AS v ON v.crane_id = l.crane_id AND v.visited_on = l.visited_on
WHERE c.state <> 'sold'
  AND c.next_inspection_on < current_date + INTERVAL '6 weeks'
ORDER BY days_left, c.number;
