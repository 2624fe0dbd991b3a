// SPDX-License-Identifier: GPL-2.0
import {declareKernel} from '../../test/declare-kernel.ts';

await declareKernel('4.15.18');
