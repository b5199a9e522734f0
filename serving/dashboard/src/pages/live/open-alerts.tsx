/** What is wrong now, the worst first. */
import { useAlerts } from "../../api/queries";
import { Badge } from "../../parts/badge";
import { Card } from "../../parts/card";
import { counted } from "../../parts/format";
import { Loaded } from "../../parts/loaded";
import { Time } from "../../parts/time";

const SHOWN = 6;

export function OpenAlerts() {
  const alerts = useAlerts({ limit: 200 });
  return (
    <Card title="Is anything wrong?" anchor="wrong">
      <Loaded query={alerts} what="The alerts">
        {({ incidents }) => {
          const open = incidents
            .filter(({ resolved_at }) => resolved_at == null)
            .sort((a, b) => Number(b.severity === "critical") - Number(a.severity === "critical") || b.opened_at.localeCompare(a.opened_at));
          if (open.length === 0) return <p>No alert is open.</p>;
          return (
            <>
              <ul className="alerts">
                {open.slice(0, SHOWN).map(({ id, severity, summary, opened_at, acknowledgement }) => (
                  <li key={id}>
                    <Badge tone={severity}>{severity}</Badge> {summary}{" "}
                    <span className="soft small">
                      open since <Time at={opened_at} />
                      {acknowledgement && <>, acknowledged by {acknowledgement.by}</>}
                    </span>
                  </li>
                ))}
              </ul>
              {open.length > SHOWN && <p className="soft small">{counted(open.length - SHOWN, "more alert")} open.</p>}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}
