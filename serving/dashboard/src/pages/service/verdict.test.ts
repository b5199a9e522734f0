import { expect, test } from "vitest";
import { findings, type Told } from "./verdict";

const load = { window_s: 60, requests_per_s: 100, refused_per_s: 0, saturation: 0.2, loop_lag_p99_ms: 2 };
const stored = { last_hour: { versions: [{ answers: 100 }], stood_in: {} } };
const process = { journal_dropped: 0, journal_used: 0, load };
const well = {
  health: { status: "ready", reason: null, dependencies: { postgresql: { status: "ok" }, redis: { status: "unused" } } },
  report: { process, stored, missing: null },
  alerts: { open: { critical: 0, warning: 0 }, incidents: [] },
  flags: { here: { transformer: true } },
};
const found = (told: object) => findings({ ...well, ...told } as unknown as Told);

test("where all is well nothing is found", () => {
  expect(found({})).toEqual([]);
});

test("the worst stands first, each with where it is told", () => {
  const all = found({
    health: { ...well.health, dependencies: { postgresql: { status: "down", message: "no answer in time" } } },
    report: { process: { ...process, load: { ...load, refused_per_s: 48, saturation: 1 } }, stored: null, missing: "why" },
    flags: { here: { transformer: false } },
  });
  expect(all.map(({ tone, says }) => `${tone}: ${says}`)).toEqual([
    "critical: 48 % of the requests of the last 1 min were refused at the door",
    "warning: postgresql does not answer (no answer in time)",
    "warning: switched off: transformer",
  ]);
  expect(all[0]?.to).toBe("#load");
});

test("open alerts are counted and lead to their page; a critical one of the data does not mean that it serves badly", () => {
  expect(found({ alerts: { open: { critical: 1, warning: 1 }, incidents: [] } })).toEqual([{ tone: "warning", says: "2 alerts are open, 1 critical", to: "/app/alerts" }]);
  expect(found({ alerts: { open: { critical: 0, warning: 1 }, incidents: [] } })[0]?.says).toBe("1 alert is open");
});

test("what the process lost, and stand-ins above one in a hundred, are found; a process that is silent is all there is to say", () => {
  expect(found({ report: { ...well.report, process: { ...process, journal_dropped: 663 } } })[0]?.says).toBe("663 records lost since it started");
  const hour = (queue: number) => found({ report: { ...well.report, stored: { last_hour: { versions: [{ answers: 100 }], stood_in: { queue } } } } });
  expect([hour(1).length, hour(2).length]).toEqual([0, 1]);
  expect(found({ silent: "Failed to fetch" })).toHaveLength(1);
});

test("without a database that is set up, what is stored is said to be missing", () => {
  expect(found({ report: { process, stored: null, missing: "DATABASE_URL is not set" } }).map(({ says }) => says)).toEqual(["what is stored is not known"]);
});
