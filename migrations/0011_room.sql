-- The first reports change every row of a page of new runs at once, and two of three tasks: where the
-- next versions find no room on their page they go to another, and into every index.
ALTER TABLE runs SET (fillfactor = 50);
ALTER TABLE tasks SET (fillfactor = 50);
