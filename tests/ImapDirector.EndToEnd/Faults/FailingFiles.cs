using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.EndToEnd.Faults;

/// <summary>What can go wrong with a call; failing-files.c has the same numbers.</summary>
[Flags]
internal enum FileFaults
{
    None = 0,
    WriteError = 1,
    SyncError = 2,
    NoSpace = 4,
    ShortWrite = 8,
    NameError = 16,
    All = WriteError | SyncError | NoSpace | ShortWrite,
}

/// <summary>The calls that are counted, in the order of failing-files.c.</summary>
internal enum FileCall
{
    Writes,
    Syncs,
    Sizes,
    Names,
    Opens,
    DatabaseWrites,
    DatabaseSyncs,
}

/// <summary>A library that makes a process's calls on the files of one directory fail, and the switch of it, which works while the process runs.</summary>
internal sealed class FailingFiles : IDisposable
{
    private const int ControlBytes = 256, StateOffset = 8, CalledOffset = 16, FailedOffset = 80, LeftOffset = 144;

    private readonly MemoryMappedFile _control;
    private readonly MemoryMappedViewAccessor _view;

    private FailingFiles(string library, string under, string control)
    {
        File.WriteAllBytes(control, new byte[ControlBytes]);
        _control = MemoryMappedFile.CreateFromFile(control, FileMode.Open);
        _view = _control.CreateViewAccessor(0, ControlBytes);
        Environment = new Dictionary<string, string> { ["LD_PRELOAD"] = library, ["FAILING_FILES_UNDER"] = under, ["FAILING_FILES_CONTROL"] = control };
    }

    /// <summary>What a process needs in its environment.</summary>
    public Dictionary<string, string> Environment { get; }

    /// <summary>Compiles the library, for the files below a directory.</summary>
    public static async Task<FailingFiles> BuildAsync(TemporaryDirectory directory, string under)
    {
        var library = directory.File("failing-files.so");
        var source = Path.Combine(AppContext.BaseDirectory, "Faults", "failing-files.c");
        using var compiler = Process.Start(new ProcessStartInfo("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]) { RedirectStandardError = true })!;
        var error = await compiler.StandardError.ReadToEndAsync();
        await compiler.WaitForExitAsync();
        Assert.True(compiler.ExitCode == 0, error);
        return new FailingFiles(library, under, directory.File("failing-files.control"));
    }

    /// <summary>From now on one in so many calls fails, until so many have.</summary>
    public void Begin(FileFaults faults, int oneIn, ulong seed, long atMost = long.MaxValue)
    {
        _view.Write(LeftOffset, atMost);
        _view.Write(StateOffset, seed);
        _view.Write(sizeof(uint), oneIn);
        _view.Write(0, (int)faults);
    }

    public void End() => _view.Write(0, 0);

    /// <summary>How often a call came since the beginning.</summary>
    public long Called(FileCall call) => _view.ReadInt64(CalledOffset + (int)call * sizeof(long));

    /// <summary>How often it failed.</summary>
    public long Failed(FileCall call) => _view.ReadInt64(FailedOffset + (int)call * sizeof(long));

    public void Dispose()
    {
        _view.Dispose();
        _control.Dispose();
    }
}
