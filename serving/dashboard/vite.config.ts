// How the pages are built and tested. In development, everything that is no page is asked of a running `python -m serving`.
import { defineConfig } from "vitest/config";
import { askedFor, deployedAlone } from "./deployed-alone.ts";

const SERVING = process.env.SENTIMENT_SERVING ?? "http://127.0.0.1:8000";
const API_PATHS = ["/predict", "/predictions", "/models", "/experiments", "/feedback", "/features", "/news", "/tickers",
  "/monitoring", "/events", "/health", "/metrics"];

export default defineConfig({
  plugins: [deployedAlone()],
  define: { __API_VERSION__: JSON.stringify(askedFor.info.version) },
  build: {
    target: "es2023",
    // The page's policy allows no inline script and no `data:` script, and small files are cheap over one connection.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 400,
    rolldownOptions: {
      onwarn(warning, warn) {
        // Libraries mark files for React's server components; without a server the mark means nothing.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  server: { proxy: Object.fromEntries(API_PATHS.map((path) => [path, SERVING])) },
  test: { environment: "jsdom", include: ["*.test.ts", "src/**/*.test.{ts,tsx}"] },
});
