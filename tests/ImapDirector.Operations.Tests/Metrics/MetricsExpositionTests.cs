using System.Globalization;
using System.Text.RegularExpressions;
using Prometheus;
using Xunit;

namespace ImapDirector.Operations.Tests.Metrics;

public sealed partial class MetricsExpositionTests
{
    private const string NastyValue = "a\"b\\c\nd{e=\"f\"} 1";

    [Fact]
    public async Task Every_metric_of_both_roles_is_read_back_from_the_page()
    {
        await using var server = await RunningServer.StartAsync();
        foreach (var metric in DeclaredMetrics.MakeAll(Prometheus.Metrics.WithCustomRegistry(server.Registry)))
            Use(metric, metric.LabelNames.Select(_ => NastyValue).ToArray());

        var page = await server.SendAsync("/metrics");

        Assert.Equal(200, page.Status);
        Assert.StartsWith("text/plain; version=0.0.4", page.Headers["Content-Type"], StringComparison.Ordinal);
        var families = Parse(page.Body);
        Assert.Equal(DeclaredMetrics.All.Select(metric => metric.Name).Order(), families.Keys.Order());
        foreach (var metric in DeclaredMetrics.All)
        {
            var (type, samples) = families[metric.Name];
            Assert.Equal(metric switch { Counter => "counter", Gauge => "gauge", Histogram => "histogram", _ => "?" }, type);
            Assert.NotEmpty(samples);
            Assert.All(samples, sample => Assert.Equal(metric.LabelNames.Order(), sample.Labels.Keys.Except(["le"]).Order()));
            Assert.All(samples.SelectMany(sample => sample.Labels.Where(label => label.Key != "le")), label => Assert.Equal(NastyValue, label.Value));
        }
    }

    [Fact]
    public async Task Only_the_given_registry_is_shown()
    {
        await using var server = await RunningServer.StartAsync();
        Prometheus.Metrics.CreateCounter("of_the_default_registry_total", "Not ours.").Inc();
        Prometheus.Metrics.WithCustomRegistry(server.Registry).CreateCounter("ours_total", "Ours.").Inc(3);

        var page = await server.SendAsync("/metrics");

        Assert.Equal(["ours_total"], Parse(page.Body).Keys);
        Assert.Contains("ours_total 3\n", page.Body, StringComparison.Ordinal);
    }

    private static void Use(Collector metric, string[] labels)
    {
        switch (metric)
        {
            case Counter counter:
                counter.WithLabels(labels).Inc();
                break;
            case Gauge gauge:
                gauge.WithLabels(labels).Set(1);
                break;
            case Histogram histogram:
                histogram.WithLabels(labels).Observe(0.01);
                break;
            default:
                Assert.Fail($"{metric.Name} is of a type this test does not know.");
                break;
        }
    }

    /// <summary>The text format as https://prometheus.io/docs/instrumenting/exposition_formats/ has it; fails on any line outside it.</summary>
    private static Dictionary<string, (string Type, List<Sample> Samples)> Parse(string page)
    {
        Assert.EndsWith("\n", page, StringComparison.Ordinal);
        var families = new Dictionary<string, (string Type, List<Sample> Samples)>();
        var current = "";
        foreach (var line in page.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal)) continue;
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var words = line.Split(' ');
                current = words[2];
                families.Add(current, (words[3], []));
                continue;
            }
            var sample = SampleLine().Match(line);
            Assert.True(sample.Success, line);
            Assert.Matches($"^{current}(_bucket|_sum|_count)?$", sample.Groups["name"].Value);
            Assert.True(double.TryParse(sample.Groups["value"].Value, CultureInfo.InvariantCulture, out _), line);
            var labels = sample.Groups["label"].Captures.Zip(sample.Groups["text"].Captures)
                .ToDictionary(pair => pair.First.Value, pair => pair.Second.Value.Replace("\\n", "\n", StringComparison.Ordinal)
                    .Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal));
            families[current].Samples.Add(new Sample(labels));
        }
        return families;
    }

    private sealed record Sample(IReadOnlyDictionary<string, string> Labels);

    [GeneratedRegex("""^(?<name>[a-z_:][a-z0-9_:]*)(\{((?<label>[a-z_]+)="(?<text>(\\[\\n"]|[^\\\n"])*)",?)*\})? (?<value>[0-9.eE+-]+|\+Inf|NaN)$""")]
    private static partial Regex SampleLine();
}
