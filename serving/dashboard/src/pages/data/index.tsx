/** Data: did my feeds arrive, what was refused by which rule, how fresh is it, which labels are there? */
import type { PageProps } from "..";
import { useQuality, useSources } from "../../api/queries";
import { Card, Grid } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { Loaded } from "../../parts/loaded";
import { Page } from "../../parts/page";
import { Days } from "./days";
import { FeedbackDays } from "./feedback-days";
import { FreshnessList } from "./freshness";
import { LabelSets } from "./label-sets";
import { Refused } from "./refused";
import { Sources } from "./sources";
import "./data.css";

export default function Data({ title, question }: PageProps) {
  const sources = useSources();
  const quality = useQuality();
  return (
    <Page title={title} question={question}>
      <Card title="Sources" aside={<span className="note">the last seven days, UTC</span>}>
        <Loaded query={sources} what="The sources">
          {({ sources: rows }) =>
            rows.length === 0 ? (
              <Empty title="No source was ever asked" command="sentiment-platform run collect_job">
                Set <code>SENTIMENT_FEEDS</code> or <code>SENTIMENT_SOURCES</code>, then collect:
              </Empty>
            ) : (
              <Sources sources={rows} />
            )
          }
        </Loaded>
      </Card>
      <Loaded query={quality} what="The quality of the data">
        {(report) => (
          <Grid>
            <Card title="How fresh it is">
              <FreshnessList freshness={report.freshness} />
            </Card>
            <Card title="What came" aside={<span className="note">two weeks, UTC</span>}>
              <Days days={report.days} />
            </Card>
            <Card title="Feedback" aside={<span className="note">two weeks, UTC</span>}>
              <FeedbackDays days={report.feedback} />
            </Card>
            <Card title="What was refused" wide>
              <Refused rows={report.refused} />
            </Card>
            <Card title="Labels" wide>
              <LabelSets sets={report.label_sets} />
            </Card>
          </Grid>
        )}
      </Loaded>
    </Page>
  );
}
