import {declareKernel} from './declare-kernel.ts';

await declareKernel('4.15.18');
