/** One thread of `tritmesh simulate`: hunts through its share of the seeds and tells what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { huntSeeds } from '../sim/hunt.js';

const { first, count } = workerData as { readonly first: number; readonly count: number };
parentPort?.postMessage(huntSeeds(first, count));
