/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon has open, for programs: each finding in the daemon's own words.
 */
#include "json_value.h"
#include "output.h"

int report_open_json(const struct open_report *report, FILE *to)
{
	struct object o;
	int r;

	object_begin(&o);
	object_put(&o, "schema", text_value("capauditd.status/v1"));
	object_put(&o, "complete", json_boolean(report->complete));
	object_put(&o, "totals", totals_value(report->findings, report->count));
	r = output_text(to, "{");
	if (r == 0)
		r = value_write_take(object_end(&o), JSON_EMBED, to);
	else
		json_decref(object_end(&o));
	if (r == 0)
		r = output_text(to, ",\n\"findings\":[");
	for (size_t i = 0; r == 0 && i < report->count; i++)
		r = output_format(to, "%s%s", i ? ",\n" : "\n", report->texts[i]);
	if (r == 0)
		r = output_text(to, "]}\n");
	return r == 0 ? output_finish(to) : r;
}

int report_open_jsonl(const struct open_report *report, FILE *to)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < report->count; i++)
		r = output_format(to, "%s\n", report->texts[i]);
	return r == 0 ? output_finish(to) : r;
}
