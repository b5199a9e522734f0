import { createRoot } from "react-dom/client";
// Before the pages, so that a page's own styles win.
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import { App } from "./app";
import { applyTheme, storedTheme } from "./shell/theme";

applyTheme(storedTheme());
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
