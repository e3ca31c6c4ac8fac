/** Whether everything runs, and as what. */
import { get } from "../shared/api.js";
import { h } from "../shared/dom.js";
import { ago, number, time } from "../shared/format.js";
import { lastRun } from "./jobs.js";
import { button, chip, panel, section, table, tiles } from "./ui.js";

export async function overview() {
  const [info, { jobs }, board] = await Promise.all([
    get("/api/v1/admin/server"),
    get("/api/v1/admin/jobs"),
    get("/api/v1/leaderboard/global", { pageSize: 1 }).catch(() => null), // boards that are away are told of here
  ]);
  const troubled = jobs.filter(({ lastRun: run }) => run?.state === "JOB_STATE_FAILED");
  const away = info.engines.filter(({ reachable }) => !reachable);
  const healthy = !troubled.length && !away.length;
  return panel("Overview", { deeds: [button("Refresh", () => dispatchEvent(new HashChangeEvent("hashchange")))] },
    tiles([
      ["State", healthy ? chip("All well", "good") : chip("Needs attention", "bad")],
      ["People with points", board ? number(board.totalParticipants) : "not known now"],
      ["Version", info.version],
      ["Started", ago(info.startedAt)],
    ]),
    section("Engines", table([
      { title: "Engine", cell: ({ name }) => name },
      { title: "Version", cell: ({ version }) => version, kind: "muted" },
      { title: "State", cell: ({ reachable }) => (reachable ? chip("reachable", "good") : chip("away", "bad")) },
    ], info.engines)),
    section("Jobs", table([
      { title: "Job", cell: ({ job }) => h("a", { class: "plain", href: "#jobs" }, job) },
      { title: "Last run", cell: ({ lastRun: run }) => lastRun(run) },
      { title: "Next", cell: ({ nextRunAt }) => time(nextRunAt), kind: "muted" },
    ], jobs)),
    section("Settings", h("details", {}, h("summary", {}, `${Object.keys(info.config).length} settings, without secrets`), table([
      { title: "Setting", cell: ([name]) => h("code", {}, name) },
      { title: "Value", cell: ([, value]) => h("code", {}, value), kind: "wrap" },
    ], Object.entries(info.config).sort()))));
}
