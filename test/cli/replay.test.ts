import { expect, test } from 'vitest';
import { parseSeeds } from '../../src/cli/options.ts';
import { folderText, quote } from '../../src/cli/shell.ts';
import { replayCommand } from '../../src/cli/replay.ts';

test('the replay command holds every option that changes the numbers, quoted for a shell', () => {
  const options = { seed: "it's", seeds: ['a', 'b'], untilCi: 0.02, set: ['traffic[0].arrivals.rate=6000/s', 'run.duration=2m'] };
  expect(replayCommand('compare', 'my lab/slow.yaml', options)).toEqual({
    here: `clusterlab compare 'my lab/slow.yaml' --seed 'it'\\''s' --seeds a,b --until-ci 0.02 --set 'traffic[0].arrivals.rate=6000/s' --set 'run.duration=2m'`,
    anywhere: `clusterlab compare slow.yaml --seed 'it'\\''s' --seeds a,b --until-ci 0.02 --set 'traffic[0].arrivals.rate=6000/s' --set 'run.duration=2m'`,
  });
});

test('it does not depend on where the scenario lies', () => {
  expect(replayCommand('run', '/home/a/x.yaml', {}).anywhere).toBe(replayCommand('run', '../x.yaml', {}).anywhere);
});

test('a list of one seed is read back as a list', () => {
  const { here } = replayCommand('run', 'x.yaml', { seeds: ['42'] });
  expect(here).toBe('clusterlab run x.yaml --seeds 42,');
  expect(parseSeeds(here.split(' ').at(-1)!)).toEqual(['42']);
});

test('a file name that looks like an option stays a file name', () => {
  expect(replayCommand('run', '-x.yaml', {}).here).toBe('clusterlab run ./-x.yaml');
});

test('text for a shell is quoted when it has to be, and folders end with one slash', () => {
  expect(['a/b-1.yaml', 'a b', "it's", '$HOME', ''].map(quote)).toEqual(['a/b-1.yaml', "'a b'", `'it'\\''s'`, "'$HOME'", "''"]);
  expect(['x', 'x/', 'my lab//', '/'].map(folderText)).toEqual(['x/', 'x/', "'my lab/'", '/']);
});
