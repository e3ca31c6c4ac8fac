/** What runs by itself, and how it went. */
import { get, newRequestId, send } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { ago, number, time, word } from "../shared/format.js";
import { button, chip, pagedTable, panel, section, showIn, table, toast, whileBusy } from "./ui.js";

const MOODS = { JOB_STATE_SUCCEEDED: "good", JOB_STATE_FAILED: "bad", JOB_STATE_RUNNING: "warn" };

export async function jobs() {
  const { jobs: all } = await get("/api/v1/admin/jobs");
  const runs = h("div");
  showIn(runs, recentRuns);
  return panel("Jobs", { text: "Every job may run at any time: it does what is due and not done yet." },
    table([
      { title: "Job", cell: ({ job, description }) => h("span", {}, h("strong", {}, job), h("br"), h("small", { class: "muted" }, description)), kind: "wrap" },
      { title: "When", cell: ({ schedule }) => schedule, kind: "muted" },
      { title: "Last run", cell: ({ lastRun: run }) => lastRun(run) },
      { title: "Next", cell: ({ nextRunAt }) => time(nextRunAt), kind: "muted" },
      { title: "", cell: ({ job }) => runButton(job, runs), kind: "right" },
    ], all),
    section("Runs", runs));
}

/** Returns the state of a run and when it was; a word for none. */
export function lastRun(run) {
  if (!run?.runId) return h("span", { class: "muted" }, "never");
  return h("span", { title: run.error }, chip(word(run.state, "JOB_STATE_").toLowerCase(), MOODS[run.state]), " ", h("span", { class: "muted" }, ago(run.finishedAt ?? run.startedAt)));
}

function runButton(job, runs) {
  const trigger = button("Run", () => whileBusy(trigger, async () => {
    const { run } = await send("POST", `/api/v1/admin/jobs/${encodeURIComponent(job)}/run`, { requestId: newRequestId() });
    toast(`${job} ${word(run.state, "JOB_STATE_").toLowerCase()}${run.error ? `: ${run.error}` : counted(run)}`);
    await showIn(runs, recentRuns);
  }));
  trigger.setAttribute("aria-label", `Run ${job}`);
  return trigger;
}

function recentRuns() {
  return pagedTable([
    { title: "Job", cell: ({ job }) => job },
    { title: "State", cell: (run) => chip(word(run.state, "JOB_STATE_").toLowerCase(), MOODS[run.state]) },
    { title: "Started", cell: ({ startedAt }) => time(startedAt), kind: "muted" },
    { title: "Took", cell: (run) => took(run), kind: "right" },
    { title: "What it did", cell: (run) => run.error || counted(run).slice(2) || "nothing was due", kind: "wrap" },
  ], async (pageToken) => {
    const page = await get("/api/v1/admin/runs", { pageSize: 20, pageToken });
    return { rows: page.runs, next: page.nextPageToken };
  }, "Nothing has run yet");
}

function took({ startedAt, finishedAt }) {
  return finishedAt ? `${((new Date(finishedAt) - new Date(startedAt)) / 1000).toFixed(1)} s` : "";
}

function counted({ counts }) {
  const done = Object.entries(counts ?? {}).filter(([, count]) => count !== "0");
  return done.length ? `: ${done.map(([name, count]) => `${number(count)} ${name.replaceAll("_", " ")}`).join(", ")}` : "";
}
