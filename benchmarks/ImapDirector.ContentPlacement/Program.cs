using System.Diagnostics;
using System.Globalization;
using ImapDirector.ContentPlacement;

// Where a message's body should lie: in a row of the user's SQLite database, or in a file beside it. Both are made durable before the next
// begins, as a delivery is. Rounds of the two alternate, and medians are shown, so that a noisy neighbour disturbs both alike.
//     dotnet run -c Release --project benchmarks/ImapDirector.ContentPlacement [directory on the disk to measure]
const int rounds = 7;
const int messages = 100;
var root = Directory.CreateDirectory(Path.Combine(args.Length > 0 ? args[0] : Path.GetTempPath(), $"placement-{Environment.ProcessId}")).FullName;
try
{
    Console.WriteLine("   size |        append, ms each       |     append, CPU ms each      |  written, bytes / byte |        read, ms each");
    Console.WriteLine("        |     row     file  row/file   |     row     file  row/file   |      row     file      |     row     file  row/file");
    foreach (var kilobytes in new[] { 4, 16, 32, 64, 128, 256, 1024 })
    {
        var body = new byte[kilobytes * 1024];
        new Random(kilobytes).NextBytes(body);
        var (row, file) = (new List<Sample>(), new List<Sample>());
        for (var round = 0; round < rounds; round++)
        {
            row.Add(Measure(new RowPlacement(Fresh(root)), body));
            file.Add(Measure(new FilePlacement(Fresh(root)), body));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kilobytes,4} KiB | {Compare(row, file, static sample => sample.AppendMilliseconds)}   | {Compare(row, file, static sample => sample.AppendCpuMilliseconds)}   | {Median(row, static sample => sample.WrittenBytes) / body.Length,8:F2} {Median(file, static sample => sample.WrittenBytes) / body.Length,8:F2}      | {Compare(row, file, static sample => sample.ReadMilliseconds)}"));
    }
}
finally
{
    Directory.Delete(root, recursive: true);
}

static string Fresh(string root) => Directory.CreateDirectory(Path.Combine(root, Guid.NewGuid().ToString("N"))).FullName;

static Sample Measure(Placement placement, byte[] body)
{
    using (placement)
    {
        placement.Append(body);
        var (written, cpu, begun) = (WrittenBytes(), Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        var ids = new List<long>();
        for (var i = 0; i < messages; i++) ids.Add(placement.Append(body));
        var append = Stopwatch.GetElapsedTime(begun);
        (written, cpu, begun) = (WrittenBytes() - written, Environment.CpuUsage.TotalTime - cpu, Stopwatch.GetTimestamp());
        foreach (var id in ids)
            if (placement.Read(id) != body.Length) throw new InvalidDataException("What was read is not what was written.");
        return new Sample(append.TotalMilliseconds / messages, cpu.TotalMilliseconds / messages, (double)written / messages, Stopwatch.GetElapsedTime(begun).TotalMilliseconds / messages);
    }
}

// What this process had written to the block layer.
static long WrittenBytes() => !File.Exists("/proc/self/io") ? 0
    : long.Parse(File.ReadLines("/proc/self/io").First(static line => line.StartsWith("write_bytes:", StringComparison.Ordinal))["write_bytes: ".Length..], CultureInfo.InvariantCulture);

static double Median(List<Sample> samples, Func<Sample, double> value) => samples.Select(value).Order().ElementAt(samples.Count / 2);

static string Compare(List<Sample> row, List<Sample> file, Func<Sample, double> value)
{
    var (left, right) = (Median(row, value), Median(file, value));
    return string.Create(CultureInfo.InvariantCulture, $"{left,7:F3}  {right,7:F3}  {left / right,7:F2}x");
}

internal readonly record struct Sample(double AppendMilliseconds, double AppendCpuMilliseconds, double WrittenBytes, double ReadMilliseconds);
