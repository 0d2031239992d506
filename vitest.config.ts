import { defineConfig } from "vitest/config";

/** One project per kind of test; the file's suffix picks it. */
export default defineConfig({
  test: {
    reporters: ["default", "./tools/summary-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts", "machines/test/**/*.test.ts", "tools/test/**/*.test.ts"],
          exclude: ["**/*.{property,security,crash,acceptance}.test.ts", "**/node_modules/**"],
        },
      },
      {
        test: { name: "property", include: ["{packages/*,machines}/test/**/*.property.test.ts"], testTimeout: 60_000 },
      },
      { test: { name: "security", include: ["packages/*/test/**/*.security.test.ts"], testTimeout: 120_000 } },
      { test: { name: "crash", include: ["packages/*/test/**/*.crash.test.ts"], testTimeout: 180_000 } },
      {
        test: {
          name: "acceptance",
          include: ["packages/*/test/**/*.acceptance.test.ts", "examples/*/*.test.ts"],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
