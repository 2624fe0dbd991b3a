import {declareKernel} from './declare-kernel.ts';

await declareKernel('debian-5.10');
