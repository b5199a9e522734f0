/** The first line of the page: whether it serves well, and else why not. */
import { useAlerts, useFlags, useHealth, type useService } from "../../api/queries";
import { findings } from "./verdict";

export function Verdict({ service }: { service: ReturnType<typeof useService> }) {
  const [health, alerts, flags] = [useHealth(), useAlerts({ limit: 200 }), useFlags()];
  if (!service.data && !service.error) return <p className="waiting">Is it serving well? Asking…</p>;
  const found = findings({ health: health.data, report: service.data, alerts: alerts.data, flags: flags.data, silent: service.error?.detail });
  const worst = found[0];
  if (!worst) {
    const known = alerts.data ? "no alert is open" : "whether an alert is open is not known";
    return <p className="band verdict good" role="status"><strong>It serves well.</strong> What it uses answers, nothing is refused, {known}.</p>;
  }
  return (
    <p className={`band verdict ${worst.tone}`} role="status">
      <strong>{worst.tone === "critical" ? "It does not serve well:" : "It serves, and not all is well:"}</strong>{" "}
      {found.map(({ says, to }, at) => (
        <span key={says}>{at > 0 && "; "}{to ? <a href={to}>{says}</a> : says}</span>
      ))}.
    </p>
  );
}
