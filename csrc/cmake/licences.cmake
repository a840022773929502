# layernet_install_licence(<distribution>): put the licence files of an installed Python distribution into the wheel's dist-info.
function(layernet_install_licence distribution)
  execute_process(
    COMMAND
      ${Python_EXECUTABLE} -c
      "import importlib.metadata as m, sys; print(';'.join(str(f.locate()) for f in m.files(sys.argv[1]) if '.dist-info/' in str(f) and 'LICEN' in f.name.upper()))"
      ${distribution}
    OUTPUT_VARIABLE files OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT files)
    message(FATAL_ERROR "${distribution}: the installed distribution carries no licence file")
  endif()
  install(FILES ${files} DESTINATION ${SKBUILD_METADATA_DIR}/licenses/${distribution})
endfunction()
