# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the program wrote, as the lines that tests/kernels/inhabitants promises. $names: ids to names.

def owner: $names[.container.id] // .container.runtime;
def excess: .excess[.reach] | sort | if length > 8 then length | tostring else join(",") end;
def finding: "\(owner): \(.verdict) \(.reach) \(.severity) \(excess)";
