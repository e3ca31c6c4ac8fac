-- Runs of jobs. Times are of the business clock, because it decides what is due; state: 1 running, 2 succeeded, 3 failed.
CREATE TABLE job_runs (
    run_id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job         text NOT NULL,
    state       smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
    started_at  timestamptz NOT NULL,
    finished_at timestamptz CHECK ((finished_at IS NULL) = (state = 1)),
    counts      jsonb NOT NULL DEFAULT '{}',
    error       text NOT NULL DEFAULT ''
);
CREATE INDEX job_runs_by_job ON job_runs (job, state, started_at);
