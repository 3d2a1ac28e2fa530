"""Asks the emulator everything that warroom asks, with the official SDK, and prints the answers as one JSON object.

Where the emulator is and who may ask comes from the environment, in the SDK's own names; the arguments are the
region, the instant that is now in milliseconds, a log group and a log stream.
"""
import json
import os
import sys

import huaweicloudsdkaom.v2 as aom
import huaweicloudsdkces.v1 as ces
import huaweicloudsdkces.v2 as ces2
import huaweicloudsdkcts.v3 as cts
import huaweicloudsdkiam.v3 as iam
import huaweicloudsdklts.v2 as lts
from huaweicloudsdkaom.v2.region.aom_region import AomRegion
from huaweicloudsdkces.v1.region.ces_region import CesRegion
from huaweicloudsdkces.v2.region.ces_region import CesRegion as Ces2Region
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcts.v3.region.cts_region import CtsRegion
from huaweicloudsdkiam.v3.region.iam_region import IamRegion
from huaweicloudsdklts.v2.region.lts_region import LtsRegion

ak, sk = os.environ["HUAWEICLOUD_SDK_AK"], os.environ["HUAWEICLOUD_SDK_SK"]
region, now, group, stream = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
hour = 3_600_000


def client(kind, regions):
    # No project is named: the SDK finds it by the region's name, as warroom does.
    config = HttpConfig(timeout=(30, 60))
    builder = kind.new_builder().with_http_config(config).with_credentials(BasicCredentials(ak, sk))
    return builder.with_region(regions.value_of(region)).build()


def answer(response):
    return json.loads(response.raw_content)


metrics = client(ces.CesClient, CesRegion)
metrics2 = client(ces2.CesClient, Ces2Region)
logs = client(lts.LtsClient, LtsRegion)
out = {}

out["projects"] = answer(client(iam.IamClient, IamRegion).keystone_list_projects(iam.KeystoneListProjectsRequest(name=region)))

listed, start = [], None
while True:
    page = metrics.list_metrics(ces.ListMetricsRequest(namespace="SYS.RDS", limit=20, start=start))
    if not page.metrics:
        break
    listed += [m.metric_name for m in page.metrics]
    start = page.meta_data.marker
out["metrics"] = {"names": listed, "total": page.meta_data.total}

wanted = [
    ces.MetricInfo("SYS.ELB", "mb_l7_qps", [ces.MetricsDimension("lbaas_instance_id", "77d3ba06-7d3f-4d4b-9b0d-1f4f7e5a6c11")]),
    ces.MetricInfo("SYS.RDS", "rds083_conn_usage", [ces.MetricsDimension("postgresql_cluster_id", "3c8cc15614ab46f5b8743317555e0de2in03")]),
    ces.MetricInfo("SYS.RDS", "nothing", [ces.MetricsDimension("postgresql_cluster_id", "nobody")]),
]
batch = metrics.batch_list_metric_data(ces.BatchListMetricDataRequest(body=ces.BatchListMetricDataRequestBody(
    metrics=wanted, period="300", filter="max", _from=now - hour, to=now)))
out["batch"] = [{"name": m.metric_name, "unit": m.unit, "points": [[p.timestamp, p.max] for p in m.datapoints]} for m in batch.metrics]

one = metrics.show_metric_data(ces.ShowMetricDataRequest(
    namespace="SYS.RDS", metric_name="rds083_conn_usage", dim_0="postgresql_cluster_id,3c8cc15614ab46f5b8743317555e0de2in03",
    filter="average", period=1, _from=now - hour, to=now))
out["one"] = [[p.timestamp, p.average, p.unit] for p in one.datapoints]

histories = metrics2.list_alarm_histories(ces2.ListAlarmHistoriesRequest(status=["alarm", "ok"], limit=100))
out["histories"] = [{"name": h.name, "status": h.status, "level": h.level, "begin": str(h.begin_time)} for h in histories.alarm_histories]
out["rules"] = [a.name for a in metrics2.list_alarm_rules(ces2.ListAlarmRulesRequest()).alarms]
out["histories_v1"] = [h.alarm_name for h in metrics.list_alarm_histories(ces.ListAlarmHistoriesRequest()).alarm_histories]
out["events"] = [e.event_name for e in metrics.list_events(ces.ListEventsRequest(_from=now - 6 * hour, to=now)).events]

traces = client(cts.CtsClient, CtsRegion)
found, marker = [], None
while True:
    page = traces.list_traces(cts.ListTracesRequest(trace_type="system", limit=10, _from=now - 100 * hour, to=now, next=marker))
    found += [{"name": t.trace_name, "by": t.user.name, "what": t.resource_name} for t in page.traces]
    marker = page.meta_data.marker
    if not marker:
        break
out["traces"] = found

out["groups"] = [g.log_group_name for g in logs.list_log_groups(lts.ListLogGroupsRequest()).log_groups]
out["streams"] = [s.log_stream_name for s in logs.list_log_stream(lts.ListLogStreamRequest(log_group_id=group)).log_streams]
query = lts.QueryLtsLogParams(start_time=str(now - hour), end_time=str(now), keywords="ERROR and pool", limit=5, is_count=True, highlight=False, is_desc=True)
found = logs.list_logs(lts.ListLogsRequest(log_group_id=group, log_stream_id=stream, body=query))
out["logs"] = {"count": found.count, "lines": [[line.line_num, line.content] for line in found.logs]}
query.line_num, query.search_type = found.logs[-1].line_num, "forwards"
more = logs.list_logs(lts.ListLogsRequest(log_group_id=group, log_stream_id=stream, body=query))
out["more"] = [line.line_num for line in more.logs]
counted = logs.list_log_histogram(lts.ListLogHistogramRequest(body=lts.QueryLogKeyWordCountRequestBody(
    start_time=str(now - hour), end_time=str(now), step_interval=600_000, group_id=group, stream_id=stream, key_word="ERROR")))
out["histogram"] = answer(counted)
around = logs.list_log_context(lts.ListLogContextRequest(log_group_id=group, log_stream_id=stream,
    body=lts.ListLogContextRequestBody(line_num=found.logs[0].line_num, backwards_size=3, forwards_size=2)))
out["context"] = [around.total_count, around.backwards_count, around.forwards_count]

services = client(aom.AomClient, AomRegion)
seconds = now // 1000
ranged = services.list_range_query_aom_prom_post(aom.ListRangeQueryAomPromPostRequest(
    query='sum by (pod) (rate(http_requests_total{code=~"5..",app!="upg"}[2m])) > 0.5', start=str(seconds - 3600), end=str(seconds), step="60"))
out["range"] = answer(ranged)

try:
    metrics.list_metrics(ces.ListMetricsRequest(limit=5000))
    out["refused"] = None
except exceptions.ClientRequestException as refused:
    out["refused"] = [refused.status_code, refused.error_msg]
wrong = ces.CesClient.new_builder().with_credentials(BasicCredentials(ak, "wrong", out["projects"]["projects"][0]["id"]))
try:
    wrong.with_region(CesRegion.value_of(region)).build().list_metrics(ces.ListMetricsRequest())
    out["wrong"] = None
except exceptions.ClientRequestException as refused:
    out["wrong"] = [refused.status_code, refused.error_code]

print(json.dumps(out))
