using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations;

/// <summary>What may be done with everything served here.</summary>
internal static class AllowedMethods
{
    /// <summary>To read it.</summary>
    public static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];
}
