// SPDX-License-Identifier: GPL-2.0
import {declareKernel} from '../../test/declare-kernel.ts';

await declareKernel('debian-6.12');
