/** The headlines, newest first; a new one comes by itself. */
import { useEffect, useState } from "react";
import { ApiError } from "../../api/client";
import { newsPage, useNews, useStatus } from "../../api/queries";
import { Button } from "../../parts/button";
import { Card } from "../../parts/card";
import { Empty } from "../../parts/empty";
import { counted } from "../../parts/format";
import { Failed, Loaded } from "../../parts/loaded";
import { useNow } from "../../parts/now";
import { Tabs } from "../../parts/tabs";
import { useChoice } from "../../parts/url";
import { Item } from "./item";
import { byDay, isNew, type Stories, withHead, withOlder } from "./stories";

const PAGE = 50;
const SHOWN = [
  { value: "all", title: "All" },
  { value: "differ", title: "Where models differ" },
] as const;

interface Props {
  symbol: string | null;
  onChoose: (symbol: string | null) => void;
}

export function Feed({ symbol, onChoose }: Props) {
  const question = { limit: PAGE, ...(symbol ? { symbol } : {}) };
  const head = useNews(question);
  const first = useStatus().data?.default_family ?? null;
  const [shown, setShown] = useChoice("show", ["all", "differ"]);
  const [stories, setStories] = useState<Stories | null>(null);
  const [older, setOlder] = useState<{ busy: boolean; error: ApiError | null }>({ busy: false, error: null });
  const now = useNow();
  const news = head.data;
  useEffect(() => {
    if (news) setStories((before) => withHead(before, news));
  }, [news]);

  const askOlder = async (end: string) => {
    setOlder({ busy: true, error: null });
    try {
      const page = await newsPage({ ...question, cursor: end });
      setStories((before) => before && withOlder(before, page));
      setOlder({ busy: false, error: null });
    } catch (fault) {
      setOlder({ busy: false, error: fault instanceof ApiError ? fault : new ApiError(0, "unknown", String(fault)) });
    }
  };

  return (
    <Card
      title={symbol ? `Headlines of ${symbol}` : "Headlines"}
      className="feed"
      anchor="headlines"
      aside={<Tabs label="Which headlines" values={SHOWN} chosen={shown} onChoose={setShown} />}
    >
      <Loaded query={head} what="The news">
        {(newest) => {
          const { items, end } = stories ?? { items: newest.items, end: newest.next_cursor };
          if (items.length === 0) return <NoNews symbol={symbol} onChoose={onChoose} />;
          const listed = shown === "differ" ? items.filter(({ agreement }) => agreement === false) : items;
          const fresh = items.filter((story) => isNew(story, now)).length;
          return (
            <>
              <p className="unseen" role="status">
                {fresh > 0 ? `${counted(fresh, "new story", "new stories")} in the last minute` : ""}
              </p>
              {byDay(listed, now).map(({ name, stories: ofDay }) => (
                <section key={name} aria-label={name}>
                  <h3 className="day">{name}</h3>
                  <ul>
                    {ofDay.map((story) => (
                      <Item key={story.story_id} story={story} first={first} isNew={isNew(story, now)} chosen={symbol} onChoose={onChoose} />
                    ))}
                  </ul>
                </section>
              ))}
              <footer className="feed-foot">
                <p className="soft small">
                  {shown === "differ"
                    ? `The models differ on ${listed.length} of ${counted(items.length, "story", "stories")} that are loaded.`
                    : `${counted(items.length, "story", "stories")}${end ? "" : ": that is all there is"}.`}
                </p>
                {end && (
                  <Button busy={older.busy} onClick={() => void askOlder(end)}>
                    Show older
                  </Button>
                )}
              </footer>
              {older.error && <Failed what="Older news" error={older.error} again={false} />}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

function NoNews({ symbol, onChoose }: Props) {
  if (symbol) {
    return (
      <>
        <Empty title={`No story names ${symbol}`}>Symbols come from the feeds and from names in headlines.</Empty>
        <Button onClick={() => onChoose(null)}>Show all news</Button>
      </>
    );
  }
  return (
    <Empty title="No news yet" command="sentiment-platform news sources">
      Nothing was collected so far. This lists the sources, which of them are on, and how to turn one on; the next collection then brings its news:
    </Empty>
  );
}
