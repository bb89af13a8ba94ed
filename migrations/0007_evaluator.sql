-- Scores of what came out: one per run and scorer.
CREATE TABLE evaluations (
    tenant_id     uuid NOT NULL,
    evaluation_id uuid NOT NULL,
    project_id    uuid NOT NULL,
    run_id        uuid NOT NULL,
    scorer        text NOT NULL,
    kind          text NOT NULL,
    score         double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
    weight        double precision NOT NULL,
    passed        boolean NOT NULL,
    reason        text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, evaluation_id),
    UNIQUE (tenant_id, run_id, scorer)
);
