/** The app: its queries, its events, and which page an address shows. */
import { QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useState } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useLiveQueries } from "./api/live";
import { newQueryClient } from "./api/queries";
import { PAGES } from "./pages";
import { Page } from "./parts/page";
import { Boundary } from "./shell/boundary";
import { Layout } from "./shell/layout";

export function App() {
  const [queries] = useState(newQueryClient);
  return (
    <QueryClientProvider client={queries}>
      <Pages />
    </QueryClientProvider>
  );
}

function Pages() {
  useLiveQueries();
  const [path] = useLocation();
  return (
    <Layout>
      <Boundary key={path}>
        <Suspense fallback={<p className="waiting">Loading the page…</p>}>
          <Switch>
            {PAGES.map(({ path: at, title, question, component: Body }) => (
              <Route key={at} path={at}>
                <Body title={title} question={question} />
              </Route>
            ))}
            <Route>
              <Page title="No such page" question={`There is nothing at ${path}.`}>
                <p>
                  <Link href="/">To the news</Link>
                </p>
              </Page>
            </Route>
          </Switch>
        </Suspense>
      </Boundary>
    </Layout>
  );
}
