import {declareKernel} from '../../test/declare-kernel.ts';

await declareKernel('4.15.18');
