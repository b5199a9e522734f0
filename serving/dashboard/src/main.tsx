import { createRoot } from "react-dom/client";
import { App } from "./app";
import { applyTheme, storedTheme } from "./shell/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";

applyTheme(storedTheme());
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
