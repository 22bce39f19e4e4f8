using System.Diagnostics;
using System.Text;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>Mail clients that are programs of their own.</summary>
internal static class ClientProgram
{
    // Only a test that fails waits for it.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Runs a program that has to succeed.</summary>
    /// <returns>What it printed, its bytes as characters.</returns>
    public static async Task<string> RunAsync(string program, string home, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.Latin1 };
        start.Environment["HOME"] = home;
        using var process = Process.Start(start)!;
        var (printed, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        Assert.True(process.ExitCode == 0, $"{program}: {await error}");
        return await printed;
    }
}
