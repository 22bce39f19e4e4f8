namespace ImapDirector.CommandLine;

/// <summary>What the process ends with, after <c>sysexits.h</c>; listed in <c>docs/exit-codes.md</c>.</summary>
internal static class ExitCode
{
    /// <summary>All is well.</summary>
    public const int Ok = 0;

    /// <summary>A fault of the program; the log says which.</summary>
    public const int Fault = 1;

    /// <summary>Something was found in a store, in the map, or in what was to be imported, that is not mended; some users have not moved, or have nowhere to go.</summary>
    public const int Findings = 2;

    /// <summary>There is no node, pool or account of this name.</summary>
    public const int Unknown = 3;

    /// <summary>The command line cannot be understood (EX_USAGE).</summary>
    public const int Usage = 64;

    /// <summary>A name or a password is not acceptable (EX_DATAERR).</summary>
    public const int BadData = 65;

    /// <summary>There is no mail of this user (EX_NOUSER).</summary>
    public const int NoSuchUser = 67;

    /// <summary>The process that was asked, or its Redis, does not answer, is not ready, or does not know (EX_UNAVAILABLE).</summary>
    public const int Unavailable = 69;

    /// <summary>There is such a user, or something where a directory has to be empty, already (EX_CANTCREAT).</summary>
    public const int Exists = 73;

    /// <summary>A file or a directory cannot be read or written (EX_IOERR).</summary>
    public const int InputOutput = 74;

    /// <summary>The data directory, or the node, is in use, or a move is refused or called off (EX_TEMPFAIL).</summary>
    public const int InUse = 75;

    /// <summary>The configuration, an address or a directory cannot be used (EX_CONFIG).</summary>
    public const int Configuration = 78;
}
