/** Every page, in the order of the navigation. All but the first are loaded when they are asked for. */
import { type ComponentType, lazy } from "react";
import Live from "./live";

export interface PageProps {
  title: string;
  question: string;
}

export interface PageEntry extends PageProps {
  path: string;
  component: ComponentType<PageProps>;
  /** Not in the navigation: reached from another page. */
  hidden?: boolean;
}

// A page more is a line here and a folder beside this file.
export const PAGES: readonly PageEntry[] = [
  { path: "/", title: "Live", question: "What does today's news say, of whom, and which model says so?", component: Live },
  { path: "/app/try", title: "Try", question: "What does it say of my sentence, and why?", component: lazy(() => import("./try")) },
  { path: "/app/models", title: "Models", question: "Which versions are there, how good are they, what differs?", component: lazy(() => import("./models")) },
  {
    path: "/app/models/compare",
    title: "Compare",
    question: "Do two versions differ on the same texts, by how much, and where?",
    component: lazy(() => import("./models/compare")),
    hidden: true,
  },
  {
    path: "/app/models/:version",
    title: "A version",
    question: "What is it made from, how good is it, what does it cost?",
    component: lazy(() => import("./models/version")),
    hidden: true,
  },
  { path: "/app/deployments", title: "Deployments", question: "What was live when, why, and by whom?", component: lazy(() => import("./deployments")) },
  { path: "/app/service", title: "Service", question: "Does it answer, how fast, and how much of it in time?", component: lazy(() => import("./service")) },
  { path: "/app/data", title: "Data", question: "Did the feeds arrive, what was refused, how fresh is it all?", component: lazy(() => import("./data")) },
  { path: "/app/drift", title: "Drift", question: "Is what is asked, and what is answered, different from the weeks before?", component: lazy(() => import("./drift")) },
  { path: "/app/accuracy", title: "Accuracy", question: "What was promised, what was seen, and on how many labels?", component: lazy(() => import("./accuracy")) },
  { path: "/app/alerts", title: "Alerts", question: "What is wrong, and what is there to do?", component: lazy(() => import("./alerts")) },
  { path: "/app/decisions", title: "Decisions", question: "Did it train again, why or why not, and what ran?", component: lazy(() => import("./decisions")) },
];
