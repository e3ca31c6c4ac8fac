-- Draws a number for everybody's ranks at a moment.
SELECT nextval('rank_takes')
