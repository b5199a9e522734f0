/** Every page, in the order of the navigation. All but the first are loaded when they are asked for. */
import type { ComponentType } from "react";
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

// A page more: `{ path: "/app/try", title: "Try", question: "...", component: lazy(() => import("./try")) }`.
export const PAGES: readonly PageEntry[] = [
  { path: "/", title: "Live", question: "What does today's news say, of whom, and which model says so?", component: Live },
];
