/** The workflow of `clusterlab init --ci`; the README shows the same text. */

export const workflowFile = '.github/workflows/clusterlab.yml';

export const workflowTemplate = `# A change that makes things worse does not get in. The baseline is a file of the repository:
#   npx clusterlab baseline save main scenario.yaml && git add baselines
name: clusterlab
on: [pull_request]
permissions: { contents: read, pull-requests: write }
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-node@v5
        with: { node-version: 22, cache: npm }
      - run: npm ci
      - run: npx clusterlab gate scenario.yaml --baseline main --strict --reporter default,github,junit=gate.xml,markdown=gate.md
      - if: \${{ !cancelled() }}
        uses: actions/upload-artifact@v4
        with: { name: gate, path: gate.* }
      - if: \${{ !cancelled() && github.event_name == 'pull_request' }}
        run: test ! -f gate.md || gh pr comment "\${{ github.event.number }}" --body-file gate.md --edit-last --create-if-none
        env: { GH_TOKEN: "\${{ github.token }}" }
`;
