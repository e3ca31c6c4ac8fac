-- Which of those that notifications go to have taken one already: it comes again only to the others.
ALTER TABLE notifications ADD COLUMN taken_by text[] NOT NULL DEFAULT '{}';
