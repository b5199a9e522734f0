/** Deployments: what was live when, why, by whom; and a person's change of it. */
import type { PageProps } from "..";
import { useDeployments, useSelections, useStatus } from "../../api/queries";
import { Card, Grid } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { Loaded } from "../../parts/loaded";
import { Page } from "../../parts/page";
import { AuditTrail } from "./audit-trail";
import { Change } from "./change";
import { History } from "./history";
import { LiveNow } from "./live-now";
import { Replicas } from "./replicas";
import { Selections } from "./selections";
import "./deployments.css";

export default function Deployments({ title, question }: PageProps) {
  const status = useStatus();
  const deployments = useDeployments();
  const selections = useSelections();
  return (
    <Page title={title} question={question}>
      <Grid>
        <div className="stack">
        <Card title="Live now">
          <Loaded query={status} what="What is live">
            {(told) => <LiveNow status={told} />}
          </Loaded>
        </Card>
        <Card title="Replicas" aside={<span className="note">that answered in the last ten minutes</span>}>
          <Loaded query={selections} what="The replicas">
            {(told) => <Replicas told={told} />}
          </Loaded>
        </Card>
        </div>
        <Card title="Change it">
          <Loaded query={status} what="What is live">
            {(told) => <Change status={told} />}
          </Loaded>
        </Card>
        <Card title="What people asked for" wide>
          <Loaded query={selections} what="The selections">
            {(told) => <Selections selections={told.selections} />}
          </Loaded>
        </Card>
        <Card title="Audit trail" aside={<span className="note">for admins</span>} wide>
          <AuditTrail />
        </Card>
        <Card title="What was live when" wide>
          <Loaded query={deployments} what="The deployments">
            {({ as_of: asOf, deployments: rows }) =>
              rows.length === 0 ? (
                <Empty title="Nothing was deployed yet" command="sentiment-platform run bootstrap_job">
                  This deploys the starters that the platform ships:
                </Empty>
              ) : (
                <History deployments={rows} families={status.data?.families ?? {}} asOf={asOf} />
              )
            }
          </Loaded>
        </Card>
      </Grid>
    </Page>
  );
}
