-- A step whose condition did not hold, or that no edge led to: completed, with null for its output.
ALTER TABLE tasks ADD COLUMN skipped boolean NOT NULL DEFAULT false;
